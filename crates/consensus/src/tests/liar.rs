//! A validator that votes for everything, and against it.

use super::cluster::{Cluster, Context, secret};
use crate::{
    BlockId,
    wire::{Digest, Scheme, digest_of, namespace},
};
use commonware_codec::{DecodeExt, Encode};
use commonware_consensus::simplex::types::{Finalize, Notarize, Nullify, Proposal, Vote};
use commonware_p2p::{Receiver, Recipients, Sender, utils::mux::Muxer};
use commonware_runtime::{Spawner, Supervisor};

/// Answers each vote with one for the same block, one for a block that is not, and one to skip.
pub async fn lie(context: &Context, cluster: &Cluster, liar: usize) {
    let (sender, receiver) = cluster.channel(liar, 0).await;
    let (mux, mut votes) = Muxer::new(context.child("liar_votes"), sender, receiver);
    mux.start();
    let sky = cluster.shared.lock().genesis.header().sky;
    let set = cluster.shared.set_of(0);
    let scheme =
        Scheme::signer(&namespace(sky), set.engine_keys(), secret(&cluster.keys[liar])).expect("in the set");
    let (mut sender, mut receiver) = votes.register(0).await.expect("a fresh channel");
    context.child("liar").spawn(move |_| async move {
        while let Ok((_, message)) = receiver.recv().await {
            let vote = Vote::<Scheme, Digest>::decode(message).expect("the others are honest");
            for lie in lies(&scheme, vote) {
                sender.send(Recipients::All, lie.encode(), true);
            }
        }
    });
}

fn lies(scheme: &Scheme, vote: Vote<Scheme, Digest>) -> Vec<Vote<Scheme, Digest>> {
    let another = |proposal: &Proposal<Digest>| Proposal {
        payload: digest_of(BlockId::from_bytes([proposal.payload.0[0] ^ 1; 32])),
        ..proposal.clone()
    };
    match vote {
        Vote::Notarize(vote) => [another(&vote.proposal), vote.proposal]
            .map(|proposal| Vote::Notarize(Notarize::sign(scheme, proposal).expect("a signer")))
            .into(),
        Vote::Finalize(vote) => {
            let skip = Nullify::sign::<Digest>(scheme, vote.proposal.round).expect("a signer");
            let finalizes = [another(&vote.proposal), vote.proposal]
                .map(|proposal| Vote::Finalize(Finalize::sign(scheme, proposal).expect("a signer")));
            finalizes.into_iter().chain([Vote::Nullify(skip)]).collect()
        }
        Vote::Nullify(_) => Vec::new(),
    }
}
