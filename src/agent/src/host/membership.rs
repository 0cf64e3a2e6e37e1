//! The cluster's file and this host's place in it, at the start and again at each reload.

use vipward_core::{Config, Faults, NodeName};

use crate::failure::Failure;
use crate::host::identity;
use crate::options::HostOptions;

/// A good file, and who of it this host is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The file.
    pub config: Config,
    /// This host.
    pub me: NodeName,
}

impl Membership {
    /// Reads the file and finds this host in it.
    ///
    /// # Errors
    /// Every fault of the file, or that this host is not in it.
    pub fn load(host: &HostOptions) -> Result<Self, Failure> {
        let config = Config::load(&host.config, |path| std::fs::read_to_string(path))?;
        let local = identity::local_addresses().map_err(Failure::system("list local addresses"))?;
        let me = identity::find(&config, &origin(host), host.node.as_ref(), &local)?;
        Ok(Self { config, me })
    }

    /// Reads the file anew, for an agent that runs as `self`.
    ///
    /// # Errors
    /// As [`Self::load`]; and the new file must leave this host its cluster and its name, in which
    /// it publishes.
    pub fn reload(&self, host: &HostOptions) -> Result<Config, Failure> {
        let new = Self::load(host)?;
        self.admits(&new, &origin(host))?;
        Ok(new.config)
    }

    fn admits(&self, new: &Self, origin: &str) -> Result<(), Faults> {
        let same = |what: &str, old: &str, new: &str| {
            if old == new {
                return Ok(());
            }
            let fault = format!("{what} is now {new}, but the agent runs as {old}");
            Err(Faults::of_host(origin, fault, "restart the agent"))
        };
        same("the cluster", self.config.cluster.as_str(), new.config.cluster.as_str())?;
        same("this host", self.me.as_str(), new.me.as_str())
    }
}

fn origin(host: &HostOptions) -> String {
    host.config.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::tests::config;

    #[test]
    fn a_reload_changes_neither_the_cluster_nor_who_this_is() {
        let member =
            |config: Config, me: &str| Membership { config, me: me.parse().expect("a name") };
        let running = member(config(1), "a");
        assert_eq!(running.admits(&member(config(2), "a"), "f"), Ok(()));
        let mut other = config(1);
        other.cluster = "other".parse().expect("a name");
        for (new, what) in [
            (member(other, "a"), "the cluster is now other, but the agent runs as lab"),
            (member(config(1), "b"), "this host is now b, but the agent runs as a"),
        ] {
            let refused = running.admits(&new, "f").expect_err("it is another");
            assert!(refused.to_string().contains(what), "{refused}");
        }
    }
}
