//! The listeners and what each serves: over loopback, and for other machines.

use crate::{
    Gateway, Remote, Surroundings, Token,
    auth::{Door, KeptRings},
    gate::Gate,
    listening::listen,
    prices::Prices,
    reach::Reach,
    remote::Incoming,
    rest,
};
use axum::serve::ListenerExt;
use opensky_node::Handle;
use std::{io, sync::Arc};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// An answer of a few bytes waits for no more of them.
fn answer_at_once(connection: &mut TcpStream) {
    if let Err(error) = connection.set_nodelay(true) {
        tracing::debug!(%error, "answers may come late");
    }
}

/// Serves the API over loopback, and to callers from other machines where these are wanted, until `stop`
/// fires; then open requests get a moment to end.
pub async fn serve(
    local: TcpListener,
    remote: Option<Remote>,
    handle: Handle,
    token: Token,
    surroundings: Surroundings,
    stop: CancellationToken,
) -> io::Result<()> {
    let door = Door::new(token, KeptRings::read(&handle).await?, local.local_addr()?.port());
    let prices = Arc::new(Prices::default());
    let watched = prices.watch(handle.clone(), stop.clone());
    let gateway = Gateway::new(handle, surroundings, Arc::clone(&prices));
    let gate = Gate::new(door);
    let tasks = gate.streams.tasks.clone();
    let here = async {
        let local = local.tap_io(answer_at_once);
        listen(local, rest::routes(gateway.clone(), &gate, &stop, Reach::LOCAL), &stop).await;
        Ok::<_, io::Error>(())
    };
    let elsewhere = async {
        let Some(remote) = remote else { return Ok(()) };
        let reach = Reach::remote(&remote.names, remote.tls.is_some());
        let tls = remote.tls.clone();
        let incoming = Incoming::start(remote, &tasks)?;
        let serving = listen(incoming, rest::routes(gateway.clone(), &gate, &stop, reach), &stop);
        let fresh = async {
            match tls {
                Some(tls) => tls.keep_fresh().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = serving => {}
            () = fresh => {}
        }
        Ok(())
    };
    let watched = async {
        watched.await;
        Ok(())
    };
    tokio::try_join!(here, elsewhere, watched)?;
    // Sockets, and what goes on without its request, are no connections any more; each ends by itself.
    tasks.close();
    tasks.wait().await;
    Ok(())
}
