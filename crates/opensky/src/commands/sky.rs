//! `opensky peers`, `opensky offers`, `opensky clusters`

use crate::{
    commands::Context,
    output::{ago, now, size, table},
};
use anyhow::Result;
use opensky_api::network::PathView;

pub async fn peers(context: &Context) -> Result<()> {
    let peers = context.client()?.peers().await?;
    context.format.print(&peers, |peers| {
        if peers.peers.is_empty() {
            return "no peers are connected; `opensky invite` makes a token for another machine".into();
        }
        let rows = peers.peers.iter().map(|peer| {
            let path = match peer.path {
                PathView::Direct => "direct",
                PathView::Relayed => "relayed",
            };
            let rtt = peer.rtt_us.map_or("-".into(), |us| format!("{:.1} ms", us as f64 / 1000.0));
            let region = peer.region.map_or("-".into(), |region| region.to_string());
            vec![peer.node.to_string(), path.into(), rtt, region, peer.agent.clone(), peer.address.clone()]
        });
        table(&["NODE", "PATH", "RTT", "REGION", "SOFTWARE", "ADDRESS"], rows)
    })
}

pub async fn offers(context: &Context) -> Result<()> {
    let offers = context.client()?.offers().await?;
    context.format.print(&offers, |offers| {
        let rows = offers.offers.iter().map(|offer| {
            let slots = format!("{}/{}", offer.slots_free, offer.slots_total);
            vec![
                offer.node.to_string(),
                offer.region.to_string(),
                slots,
                offer.hardware.cpu_cores.to_string(),
                offer.hardware.score_per_core.to_string(),
                size(offer.hardware.memory_bytes),
                size(offer.task_limits_max.memory_bytes),
                offer.price_per_gfuel.to_string(),
                offer.note.clone(),
            ]
        });
        table(&["NODE", "REGION", "FREE", "CORES", "SCORE", "MEMORY", "PER TASK", "PER GFUEL", "NOTE"], rows)
    })
}

pub async fn clusters(context: &Context) -> Result<()> {
    let clusters = context.client()?.clusters().await?;
    context.format.print(&clusters, |clusters| {
        let rows = clusters.clusters.iter().map(|cluster| {
            let slots = format!("{}/{}", cluster.slots_free, cluster.slots_total);
            vec![cluster.name.clone(), cluster.members.to_string(), slots, ago(now(), cluster.heartbeat_at)]
        });
        table(&["CLUSTER", "NODES", "FREE", "HEARD FROM"], rows)
    })
}
