//! The listeners and what each serves: over loopback, and for other machines.

use crate::{
    Gateway, Remote, Surroundings, Token,
    auth::{Door, KeptRings},
    gate::Gate,
    prices::Prices,
    reach::Reach,
    remote::Incoming,
    rest,
};
use axum::Router;
use opensky_node::Handle;
use std::{
    fmt, io,
    sync::{Arc, RwLock},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

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
    let name = Arc::new(RwLock::new(surroundings.name.clone()));
    let prices = Arc::new(Prices::default());
    let watched = prices.watch(handle.clone(), stop.clone());
    let gateway = Gateway { handle, surroundings: Arc::new(surroundings), name, prices: Arc::clone(&prices) };
    let gate = Gate::new(door);
    let sockets = gate.streams.sockets.clone();
    let here = serve_at(local, rest::routes(gateway.clone(), &gate, &stop, Reach::LOCAL), &stop);
    let elsewhere = async {
        let Some(remote) = remote else { return Ok(()) };
        let reach = Reach::remote(&remote.names, remote.tls.is_some());
        let tls = remote.tls.clone();
        let serving = serve_at(Incoming::start(remote)?, rest::routes(gateway, &gate, &stop, reach), &stop);
        let fresh = async {
            match tls {
                Some(tls) => tls.keep_fresh().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = serving => ended,
            () = fresh => Ok(()),
        }
    };
    let watched = async {
        watched.await;
        Ok(())
    };
    tokio::try_join!(here, elsewhere, watched)?;
    // Sockets are no requests any more; each says goodbye.
    sockets.close();
    sockets.wait().await;
    Ok(())
}

async fn serve_at<L>(listener: L, routes: Router, stop: &CancellationToken) -> io::Result<()>
where
    L: axum::serve::Listener,
    L::Addr: fmt::Debug,
{
    axum::serve(listener, routes).with_graceful_shutdown(stop.clone().cancelled_owned()).await
}
