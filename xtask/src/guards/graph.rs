//! The packages that the workspace builds for Linux, and who depends on whom.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::workspace::Workspace;

/// One package and what it depends on, by name: versions make no difference to who may use what.
#[derive(Debug, Default, Clone)]
pub struct Package {
    /// Whether it is part of this workspace.
    pub member: bool,
    /// Dependencies of any kind, tests' included.
    pub all: BTreeSet<String>,
    /// Dependencies that end up in the built library or program.
    pub shipped: BTreeSet<String>,
}

#[derive(Debug, Default, Clone)]
pub struct Graph(pub BTreeMap<String, Package>);

impl Graph {
    pub fn read(workspace: &Workspace) -> Result<Self> {
        let options = ["--locked", "--filter-platform", "x86_64-unknown-linux-gnu"];
        let metadata = MetadataCommand::new()
            .current_dir(&workspace.root)
            .other_options(options.map(str::to_owned))
            .exec()
            .context("cannot read the dependency graph")?;
        Self::from_metadata(&metadata)
    }

    fn from_metadata(metadata: &Metadata) -> Result<Self> {
        let names: BTreeMap<_, _> =
            metadata.packages.iter().map(|p| (&p.id, p.name.to_string())).collect();
        let resolve = metadata.resolve.as_ref().context("cargo resolved nothing")?;
        let mut graph = Self::default();
        for node in &resolve.nodes {
            let package = graph.0.entry(names[&node.id].clone()).or_default();
            package.member |= metadata.workspace_members.contains(&node.id);
            for dependency in &node.deps {
                let name = &names[&dependency.pkg];
                let shipped =
                    dependency.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development);
                if shipped {
                    package.shipped.insert(name.clone());
                }
                package.all.insert(name.clone());
            }
        }
        Ok(graph)
    }

    /// The names of the workspace's own packages.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Package)> {
        self.0.iter().filter(|(_, p)| p.member).map(|(name, package)| (name.as_str(), package))
    }

    /// The shortest way from a package to one that matches, through what is shipped.
    pub fn way(&self, from: &str, matches: impl Fn(&str) -> bool) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(here) = queue.pop_front() {
            for next in self.0.get(here).into_iter().flat_map(|package| &package.shipped) {
                if next == from || came_from.contains_key(next.as_str()) {
                    continue;
                }
                came_from.insert(next, here);
                if matches(next) {
                    return Some(walk_back(&came_from, next));
                }
                queue.push_back(next);
            }
        }
        None
    }
}

fn walk_back(came_from: &BTreeMap<&str, &str>, end: &str) -> Vec<String> {
    let mut way = vec![end.to_owned()];
    let mut here = end;
    while let Some(&before) = came_from.get(here) {
        way.push(before.to_owned());
        here = before;
    }
    way.reverse();
    way
}
