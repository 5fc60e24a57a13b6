//! The sky around the node: peers, offers, invites, members.

use crate::{
    Gateway,
    problem::{Outcome, problem},
};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use opensky_api::{
    Code,
    membership::{InviteRequest, InviteView, Invites, MemberView, Members},
    network::{PathView, PeerView, Peers},
    offer::{ClusterView, Clusters, Offers, PriceHistory},
};
use opensky_ports::transport::Path;
use opensky_types::{NodeId, place::Region};
use std::collections::BTreeMap;

/// Longest life of an invite, in milliseconds: a year.
const INVITE_MS_MAX: u64 = 365 * 24 * 3_600_000;

pub(crate) async fn peers(State(gateway): State<Gateway>) -> Outcome<Json<Peers>> {
    let (network, offers) = tokio::join!(gateway.handle.network(), gateway.handle.offers());
    let regions: BTreeMap<NodeId, Region> =
        offers?.iter().map(|view| (view.offer.node, view.offer.region)).collect();
    let mut peers: Vec<PeerView> = network?
        .peers
        .into_iter()
        .map(|peer| PeerView {
            node: peer.node,
            path: match peer.path {
                Path::Direct => PathView::Direct,
                Path::Relayed => PathView::Relayed,
            },
            address: peer.address,
            rtt_us: peer.rtt_us,
            agent: peer.agent,
            region: regions.get(&peer.node).copied(),
        })
        .collect();
    peers.sort_by_key(|peer| peer.node);
    Ok(Json(Peers { peers }))
}

pub(crate) async fn offers(State(gateway): State<Gateway>) -> Outcome<Json<Offers>> {
    let offers = gateway.handle.offers().await?.iter().map(|view| (&view.offer).into()).collect();
    Ok(Json(Offers { offers }))
}

pub(crate) async fn price_history(State(gateway): State<Gateway>) -> Json<PriceHistory> {
    Json(gateway.prices.history())
}

pub(crate) async fn clusters(State(gateway): State<Gateway>) -> Outcome<Json<Clusters>> {
    let clusters = gateway.handle.clusters().await?.into_iter().map(|cluster| ClusterView {
        name: cluster.name,
        members: cluster.members,
        slots_total: cluster.slots_total,
        slots_free: cluster.slots_free,
        heartbeat_at: cluster.heartbeat_at,
    });
    Ok(Json(Clusters { clusters: clusters.collect() }))
}

pub(crate) async fn invites(State(gateway): State<Gateway>) -> Outcome<Json<Invites>> {
    let mut invites: Vec<InviteView> = gateway
        .handle
        .invites()
        .await?
        .into_iter()
        .map(|stored| InviteView {
            token: stored.token.to_string(),
            expires_at: stored.invite.expires_at,
            uses_max: stored.invite.uses_max,
            used_by: stored.used_by,
            addresses: stored.invite.addresses,
            lan: false,
        })
        .collect();
    invites.sort_by_key(|invite| std::cmp::Reverse(invite.expires_at));
    Ok(Json(Invites { invites }))
}

pub(crate) async fn invite(
    State(gateway): State<Gateway>,
    request: Result<Json<InviteRequest>, JsonRejection>,
) -> Outcome<Json<InviteView>> {
    let Json(request) = request?;
    if request.uses_max == 0 || request.valid_ms == 0 || request.valid_ms > INVITE_MS_MAX {
        return Err(problem(
            Code::InvalidRequest,
            "an invite has at least one use and lives for up to a year",
        ));
    }
    if request.lan {
        gateway.handle.open_local_door(request.valid_ms).await?;
    }
    let token = gateway.handle.invite(request.uses_max, request.valid_ms).await?;
    let invite = token.0.decode_unverified().map_err(|error| problem(Code::Internal, error))?;
    Ok(Json(InviteView {
        token: token.to_string(),
        expires_at: invite.expires_at,
        uses_max: invite.uses_max,
        used_by: Vec::new(),
        addresses: invite.addresses,
        lan: request.lan,
    }))
}

pub(crate) async fn members(State(gateway): State<Gateway>) -> Outcome<Json<Members>> {
    let (network, members) = tokio::join!(gateway.handle.network(), gateway.handle.members());
    let connected: Vec<NodeId> = network?.peers.iter().map(|peer| peer.node).collect();
    let mut members: Vec<MemberView> = members?
        .into_iter()
        .map(|(node, chain, addresses)| {
            let own = chain.0.first();
            MemberView {
                node,
                invited_by: own.map(|link| link.signer()),
                joined_at: own.and_then(|link| Some(link.decode_unverified().ok()?.given_at)),
                connected: connected.contains(&node),
                addresses,
            }
        })
        .collect();
    members.sort_by_key(|member| member.node);
    Ok(Json(Members { members }))
}
