//! The demo: a service crashes, then a whole node dies; each time the VIP goes where it is
//! answered.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use vipward_core::{NodeName, ServiceName};

use crate::cluster::{Cluster, ClusterError, Environment};
use crate::console::{Console, Tone};
use crate::folder::{Folder, FolderError};
use crate::layout::{ClusterSpec, ServicePlan};
use crate::observed::{self, Answer};
use crate::record::Record;
use crate::service::ServiceKind;
use crate::timeline::{Outage, Subject, Timeline, draw};

/// Until clients must be served again: the alarm path alone may take a minute.
const SERVED_WITHIN: Duration = Duration::from_secs(150);
/// Until the function must have told what it did.
const TOLD_WITHIN: Duration = Duration::from_secs(10);
/// Until a node that was mended must be judged healthy.
const MENDED_WITHIN: Duration = Duration::from_mins(1);

#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

struct Failover {
    title: &'static str,
    outage: Option<Outage>,
}

/// Shows the demo; whether clients were served again each time.
pub async fn show(
    kind: ServiceKind,
    environment: &Environment,
    folder: &Path,
    keep: bool,
    console: &mut Console,
) -> Result<bool, DemoError> {
    let mut folder = Folder::create_in(folder, "demo")?;
    let shown = show_in(kind, environment, &folder, console).await;
    let all_well = matches!(shown, Ok(true));
    folder.keep(keep || !all_well);
    if folder.is_kept() {
        console.line(&format!("logs and files: {}", folder.path.display()));
    }
    Ok(shown?)
}

async fn show_in(
    kind: ServiceKind,
    environment: &Environment,
    folder: &Folder,
    console: &mut Console,
) -> Result<bool, ClusterError> {
    let service: ServiceName = kind.name().parse().expect("kinds of service are plain words");
    let spec = ClusterSpec { kind, services: vec![service], ..ClusterSpec::default() };
    heading(console, "1", "A service crashes; the agents hint at once.");
    let by_hint = ClusterSpec { placed: false, ..spec.clone() };
    let mut cluster =
        Cluster::start(environment, by_hint, &folder.path.join("hints"), console).await?;
    let crash = crash_of_a_service(&mut cluster, console).await?;
    cluster.stop().await?;
    heading(console, "2", "A whole node dies; there are no hints, alarms alone carry the news.");
    let by_alarm = ClusterSpec { hints: false, ..spec };
    let mut cluster =
        Cluster::start(environment, by_alarm, &folder.path.join("alarms"), console).await?;
    let death = death_of_a_node(&mut cluster, console).await?;
    cluster.stop().await?;
    Ok(summarize(&[crash, death], console))
}

fn heading(console: &mut Console, number: &str, text: &str) {
    let heading = console.toned(Tone::Strong, &format!("{number}. {text}"));
    console.line(&format!("\n{heading}"));
}

/// The one service of the demo's cluster, and the node that holds its VIP.
fn service_and_holder(cluster: &Cluster) -> Result<(ServicePlan, NodeName), ClusterError> {
    let service = cluster.layout.services.first().cloned();
    let service =
        service.ok_or_else(|| ClusterError::Impossible("there is no service".to_owned()))?;
    let holder = cluster.log.read(|records| cluster.holder(&service, records));
    let holder = holder.map(|holder| holder.name.clone());
    let holder =
        holder.ok_or_else(|| ClusterError::Impossible("nobody holds the VIP".to_owned()))?;
    Ok((service, holder))
}

async fn crash_of_a_service(
    cluster: &mut Cluster,
    console: &mut Console,
) -> Result<Failover, ClusterError> {
    let (service, holder) = service_and_holder(cluster)?;
    show_steady(cluster, &service, &holder, console);
    let fault = format!("service {} on {holder} killed", service.name);
    console.line(&format!("   Now: {fault}."));
    let mark = cluster.log.mark();
    cluster.kill_service(&service.name, &holder).await?;
    let outage = watch(cluster, mark, &service, &holder, fault, console).await;
    let mark = cluster.log.mark();
    cluster.restore_node(&holder).await?;
    let healthy = |record: &Record| {
        record.what == "verdict changed"
            && record.text("subject") == Some(holder.as_str())
            && record.text("to") == Some("healthy")
    };
    let deadline = Instant::now() + MENDED_WITHIN;
    let mended =
        cluster.log.wait(deadline, |records| records[mark..].iter().any(healthy).then_some(()));
    let mended = match mended.await {
        Some(()) => "is healthy again; the VIP stays where it is (failback = \"never\")",
        None => "did not become healthy again",
    };
    console.line(&format!("   The service on {holder} is started again: it {mended}."));
    Ok(Failover { title: "service crash, by hint", outage })
}

async fn death_of_a_node(
    cluster: &mut Cluster,
    console: &mut Console,
) -> Result<Failover, ClusterError> {
    let (service, holder) = service_and_holder(cluster)?;
    show_steady(cluster, &service, &holder, console);
    let fault = format!("{holder} dies, with everything on it");
    console.line(&format!(
        "   Now: {fault}. Silence has to last until it is evidence: about half a minute to a minute."
    ));
    let mark = cluster.log.mark();
    cluster.kill_node(&holder).await?;
    let outage = watch(cluster, mark, &service, &holder, fault, console).await;
    Ok(Failover { title: "death of a node, by alarm alone", outage })
}

fn show_steady(cluster: &Cluster, service: &ServicePlan, holder: &NodeName, console: &mut Console) {
    for host in cluster.layout.hosts.iter().filter(|host| host.name.as_str() != "client") {
        let held =
            if host.name == *holder { format!("holds {}", service.vip) } else { String::new() };
        console.line(&format!(
            "   {:<10} {:<15} {} up  {held}",
            host.name, host.address, service.name
        ));
    }
    let answer = cluster.log.read(|records| observed::answer(records, service.name.as_str()));
    if let Some(Answer::Served(node)) = answer {
        console.line(&format!(
            "   client asks {} ten times a second: {node} answers",
            service.address()
        ));
    }
}

/// Waits until another node answers, and draws how it came to that.
async fn watch(
    cluster: &Cluster,
    mark: usize,
    service: &ServicePlan,
    holder: &NodeName,
    fault: String,
    console: &mut Console,
) -> Option<Outage> {
    let name = service.name.as_str();
    let served = |records: &[Record]| match observed::answer(records, name) {
        Some(Answer::Served(node)) if node != holder.as_str() => Some(()),
        _ => None,
    };
    wait(cluster, SERVED_WITHIN, "until another node answers", console, served).await;
    let told = |records: &[Record]| {
        let decisions = observed::decisions(&records[mark..], name);
        decisions.iter().any(|one| one.outcome == "moved").then_some(())
    };
    wait(cluster, TOLD_WITHIN, "for the function's record", console, told).await;
    let struck = cluster.log.read(|records| records.get(mark).map(|record| record.at))?;
    let (service, vip, from) = (service.name.clone(), service.vip, holder.clone());
    let subject = Subject { service, vip, from, struck, fault };
    let timeline = Timeline::read(&cluster.log.sorted(), subject);
    console.line("");
    for line in draw(&timeline) {
        console.line(&format!("   {line}"));
    }
    console.line("");
    timeline.outage.filter(|outage| outage.by != holder.as_str())
}

async fn wait(
    cluster: &Cluster,
    within: Duration,
    what: &str,
    console: &mut Console,
    mut look: impl FnMut(&[Record]) -> Option<()>,
) {
    let deadline = Instant::now() + within;
    loop {
        let tick = deadline.min(Instant::now() + console.tick());
        if cluster.log.wait(tick, &mut look).await.is_some() || Instant::now() >= deadline {
            console.waited();
            return;
        }
        console.waiting(what);
    }
}

fn summarize(failovers: &[Failover], console: &mut Console) -> bool {
    for Failover { title, outage } in failovers {
        let (tone, told) = match outage {
            Some(outage) => {
                let length = outage.length().as_secs_f64();
                (Tone::Good, format!("served again by {} after {length:.2} s", outage.by))
            }
            None => (Tone::Bad, "NOT served again by the other node".to_owned()),
        };
        let told = console.toned(tone, &told);
        console.line(&format!("   {title:<34} {told}"));
    }
    failovers.iter().all(|failover| failover.outage.is_some())
}
