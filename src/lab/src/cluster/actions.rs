//! What can be done to a running cluster: breaking and mending it. Each is told in the log.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use vipward_core::{NodeName, ServiceName};

use super::{Cluster, ClusterError};
use crate::fabric::namespaces;
use crate::forge;
use crate::host::{Host, Part};
use crate::layout::{HostPlan, ServicePlan};
use crate::observed;
use crate::record::Record;

/// From one look at a host's interface to the next.
const LOOK: Duration = Duration::from_millis(20);

/// The record of something broken, from which a timeline counts.
pub const INJECTED: &str = "fault injected";
/// The record of something mended.
pub const REPAIRED: &str = "mended";

impl Cluster {
    fn host(&mut self, name: &NodeName) -> Result<&mut Host, ClusterError> {
        let unknown = || ClusterError::Impossible(format!("there is no host {name}"));
        self.hosts.get_mut(name).ok_or_else(unknown)
    }

    fn service(&self, name: &ServiceName) -> Result<&ServicePlan, ClusterError> {
        let unknown = || ClusterError::Impossible(format!("there is no service {name}"));
        self.layout.service(name).ok_or_else(unknown)
    }

    fn injected(&self, text: &str) {
        self.log.note(INJECTED, json!({ "text": text }));
    }

    fn repaired(&self, text: &str) {
        self.log.note(REPAIRED, json!({ "text": text }));
    }

    /// Kills a service as a crash would.
    pub async fn kill_service(
        &mut self,
        service: &ServiceName,
        node: &NodeName,
    ) -> Result<(), ClusterError> {
        self.injected(&format!("service {service} on {node} killed"));
        self.kill(&Part::Service(service.clone()), node).await
    }

    pub async fn kill_agent(&mut self, node: &NodeName) -> Result<(), ClusterError> {
        self.injected(&format!("agent on {node} killed"));
        self.kill(&Part::Agent, node).await
    }

    pub async fn kill_alias(&mut self, node: &NodeName) -> Result<(), ClusterError> {
        self.injected(&format!("alias unit on {node} killed"));
        self.kill(&Part::Alias, node).await
    }

    async fn kill(&mut self, part: &Part, node: &NodeName) -> Result<(), ClusterError> {
        if self.host(node)?.kill(part).await {
            return Ok(());
        }
        let what = match part {
            Part::Service(name) => format!("service {name}"),
            Part::Alias => "alias unit".to_owned(),
            Part::Agent => "agent".to_owned(),
            Part::Client => "client".to_owned(),
        };
        Err(ClusterError::Impossible(format!("no {what} runs on {node}")))
    }

    /// Kills a whole node: the power is gone, EC2 knows nothing of it.
    pub async fn kill_node(&mut self, node: &NodeName) -> Result<(), ClusterError> {
        self.host(node)?;
        self.injected(&format!("{node} died"));
        self.fabric.lock().await.set_connected(node, false).await?;
        self.host(node)?.kill_all().await;
        Ok(())
    }

    /// Cuts a node off: it runs on, and nothing reaches it or comes from it.
    pub async fn cut(&mut self, node: &NodeName) -> Result<(), ClusterError> {
        self.host(node)?;
        self.injected(&format!("{node} cut off"));
        let mut fabric = self.fabric.lock().await;
        fabric.set_connected(node, false).await?;
        let whole = fabric.has_interfaces();
        drop(fabric);
        if !whole {
            // All loopback addresses reach each other: only a host on which nothing runs is cut
            // off.
            self.host(node)?.kill_all().await;
        }
        Ok(())
    }

    /// Joins a node again and starts what does not run there.
    pub async fn restore_node(&mut self, node: &NodeName) -> Result<(), ClusterError> {
        self.host(node)?;
        self.fabric.lock().await.set_connected(node, true).await?;
        self.start_missing(node).await?;
        self.repaired(&format!("{node} restored"));
        Ok(())
    }

    pub async fn add_fault(&self, fault: &Value) -> Result<(), ClusterError> {
        self.region.control.add_fault(fault).await?;
        self.log.note("fault added", fault.clone());
        Ok(())
    }

    pub async fn clear_faults(&self) -> Result<(), ClusterError> {
        self.region.control.clear_faults().await?;
        self.log.note("faults cleared", json!({}));
        Ok(())
    }

    /// Puts an event on the region's bus, as it is.
    pub async fn put_event(&self, event: &Value) -> Result<(), ClusterError> {
        self.injected("event put");
        Ok(self.region.control.put_event(event).await?)
    }

    /// Says in the name of `of`, with the credentials of `by`, that all services of `of` are ill.
    pub async fn forge_hint(&mut self, of: &NodeName, by: &NodeName) -> Result<(), ClusterError> {
        let access_key = self.host(by)?.plan.access_key.clone();
        let input = forge::unhealthy_hint(&self.layout, of)?;
        self.injected(&format!("hint of {of} put by {by}"));
        Ok(self.region.control.put_events(&access_key, &input).await?)
    }

    pub async fn set_instance(&mut self, node: &NodeName, state: &str) -> Result<(), ClusterError> {
        let instance = self.host(node)?.plan.instance.clone();
        self.injected(&format!("instance of {node} {state}"));
        Ok(self.region.control.set_state(&instance, state).await?)
    }

    pub async fn delete_alias(
        &mut self,
        service: &ServiceName,
        node: &NodeName,
    ) -> Result<(), ClusterError> {
        self.needs_interfaces().await?;
        let vip = self.service(service)?.vip;
        self.injected(&format!("alias of {service} deleted on {node}"));
        Ok(namespaces::delete_alias(node, vip).await?)
    }

    /// Waits until a VIP's alias is on a node's interface, or is not; whether it came to that by
    /// the deadline.
    pub async fn alias_comes_to_be(
        &self,
        service: &ServiceName,
        node: &NodeName,
        present: bool,
        deadline: Instant,
    ) -> Result<bool, ClusterError> {
        self.needs_interfaces().await?;
        let vip = self.service(service)?.vip;
        loop {
            let late = Instant::now() >= deadline;
            if namespaces::has_alias(node, vip).await? == present {
                return Ok(true);
            }
            if late {
                return Ok(false);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn needs_interfaces(&self) -> Result<(), ClusterError> {
        if self.fabric.lock().await.has_interfaces() {
            return Ok(());
        }
        let told = "the loopback fabric has no aliases; this needs network namespaces";
        Err(ClusterError::Impossible(told.to_owned()))
    }

    /// The node that held a service's VIP after what these records tell.
    pub fn holder(&self, service: &ServicePlan, records: &[Record]) -> Option<&HostPlan> {
        let holders = observed::holders(records);
        let node = self.layout.node_of(holders.get(&service.vip.to_string())?)?;
        self.layout.host(node)
    }
}
