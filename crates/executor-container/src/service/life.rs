//! One replica, from its start to the last trace of it.

mod watching;

use super::{
    Shared,
    door::{self, Door},
    instance::{Measure, Replica},
    secrets, stopped,
    volumes::Running,
};
use crate::{
    create::{self, Allowed, Container, Network, bind},
    engine::Found,
    gpus::Passed,
    images::lost,
    meter::Meter,
    task::{attach, not_created, recreate, remove, unstartable},
};
use bollard::{
    container::LogOutput,
    errors::Error as EngineError,
    models::{ImageConfig, Mount},
    query_parameters::{CreateContainerOptionsBuilder, StartContainerOptions},
};
use futures::Stream;
use opensky_executor::scratch::{Scratch, remove_tree};
use opensky_ports::{Instance, Outlet, ServiceRun};
use opensky_types::task::Failure;
use std::{fs, io, net::Ipv4Addr, path::PathBuf, pin::Pin, sync::Arc, time::Duration};
use tokio::{sync::oneshot, time::timeout};
use tokio_util::sync::CancellationToken;

/// Where the door is in a container, and the folder of its socket.
const DOOR_PATH: &str = "/.opensky/door";
const SOCKET_FOLDER: &str = "/.opensky/node";
/// What a replica calls itself.
const HOSTNAME: &str = "service";
/// Most connections of a replica, each way. Each costs the door two threads and up to 128 KiB.
const CONNECTIONS_MAX: u64 = 256;
const CONNECTIONS_MIN: u64 = 16;
/// One connection for so much of a replica's memory.
const MEMORY_PER_CONNECTION: u64 = 1 << 20;
/// Threads of the door beside those of connections.
const DOOR_THREADS: u32 = 64;

/// How long a program goes on without its node. The door ends it then; the next life of the node removes it.
const NODE_PATIENCE: Duration = Duration::from_secs(60);
/// Longest wait for the engine to do what ends something.
const ORDER_WAIT: Duration = Duration::from_secs(20);
/// Tries to remove the counters of a container that is gone, and the time between two.
const CLEAR_TRIES: u32 = 20;
const CLEAR_WAIT: Duration = Duration::from_millis(50);
/// Time between two tries to remove a container.
const RETRY: Duration = Duration::from_secs(5);

type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, EngineError>> + Send>>;
/// An image's name, and what it starts.
type Image = (String, Vec<String>);
type Started = oneshot::Sender<Result<Arc<dyn Instance>, Failure>>;

/// A replica's work.
pub struct Life {
    shared: Arc<Shared>,
    engine: Arc<Found>,
    run: ServiceRun,
    place: usize,
    /// The container's name: it is known before the engine says that there is one.
    name: String,
    folder: PathBuf,
    scratch: Arc<Scratch>,
    /// Nobody waits for its start any more.
    given_up: CancellationToken,
}

impl Life {
    pub fn new(
        shared: Arc<Shared>,
        engine: Arc<Found>,
        run: ServiceRun,
        given_up: CancellationToken,
    ) -> Self {
        let place = shared.take_place();
        let folder = shared.folder.join(place.to_string());
        Self {
            name: format!("opensky-{}-replica-{place}", shared.host.owner),
            scratch: Arc::new(Scratch::new(&folder)),
            shared,
            engine,
            run,
            place,
            folder,
            given_up,
        }
    }

    /// Starts the replica, says so, and goes on until nothing is left of it, whatever happens.
    pub async fn live(self, outlet: Arc<dyn Outlet>, started: Started) {
        let gpus = self.shared.host.gpus.take(&self.run.gpus);
        let began = match &gpus {
            Ok(_) => self.begin(outlet).await,
            Err(failure) => Err(failure.clone()),
        };
        match began {
            Ok((replica, output)) => {
                // Nobody may wait for it any more; then it ends.
                let _ = started.send(Ok(replica.clone()));
                let end = self.watch_over(&replica, output).await;
                self.shared.running().remove(&self.run.replica);
                tracing::info!(replica = %self.run.replica, ?end, "a replica ended");
                replica.measure.end().await;
                replica.door.close().await;
                replica.set_end(end);
                self.clear(Some(replica)).await;
            }
            Err(failure) => {
                // Nobody may wait for it any more.
                let _ = started.send(Err(failure));
                self.clear(None).await;
            }
        }
        // Nothing of it has them any more.
        drop(gpus);
    }

    /// Gets the image, empty folders, and those of its volumes; the image's name, and what it starts.
    async fn prepare(&self) -> Result<(Image, Vec<PathBuf>), Failure> {
        create::check_texts(&self.run.program.args, &self.run.program.env)?;
        create::check_memory(self.run.limits.memory_bytes)?;
        check_outlets(&self.run)?;
        let image = tokio::select! {
            biased;
            () = self.shared.stopping.cancelled() => return Err(Failure::Cancelled),
            () = self.given_up.cancelled() => return Err(Failure::Cancelled),
            image = self.image() => image?,
        };
        let folders = [self.folder.clone(), self.socket_folder()];
        let made = tokio::task::spawn_blocking(move || folders.iter().try_for_each(fs::create_dir));
        let made = made.await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        made.map_err(|error| stopped(&format!("no folder for a service: {error}")))?;
        recreate(&self.scratch).await?;
        let volumes = self.shared.begin_volumes(&self.run).await?;
        Ok((image, volumes))
    }

    /// Prepares, opens the door, makes the container and starts it.
    async fn begin(&self, outlet: Arc<dyn Outlet>) -> Result<(Arc<Replica>, Output), Failure> {
        let (image, volumes) = self.prepare().await?;
        let (most, outlets) = (self.connections_max() as usize, self.run.outlets.len());
        let door =
            Door::open(&self.socket_folder(), most, (outlet, outlets), secrets::packed(&self.run.secrets));
        let door = door.map_err(|error| stopped(&format!("no socket for a service: {error}")))?;
        let started = self.start(image, &volumes, &door).await;
        if started.is_err() {
            door.close().await;
        }
        started
    }

    async fn start(
        &self,
        (image, program): Image,
        volumes: &[PathBuf],
        door: &Arc<Door>,
    ) -> Result<(Arc<Replica>, Output), Failure> {
        let docker = &self.engine.docker;
        let meter = Meter::new(&self.shared.host.owner, &format!("replica-{}", self.place));
        let runtime = self.engine.runtime_for(self.run.program.needs.isolation)?;
        let gpus = Passed::new(&self.engine.gpus, &self.run.gpus)?;
        let body = create::create(self.container(&image, (program, runtime, &gpus), volumes, &meter));
        let options = CreateContainerOptionsBuilder::default().name(&self.name).build();
        docker.create_container(Some(options), body).await.map_err(not_created)?;
        let attached = attach(docker, &self.name, false).await?;
        let measure = Measure::begin(docker.clone(), self.name.clone(), meter, self.run.limits.cpu_cores);
        let replica = Arc::new(Replica::new(Arc::clone(door), measure));
        docker.start_container(&self.name, None::<StartContainerOptions>).await.map_err(unstartable)?;
        if !self.run.volumes.is_empty() {
            let running = Running { engine: Arc::clone(&self.engine), name: self.name.clone() };
            self.shared.running().insert(self.run.replica, Arc::new(running));
        }
        Ok((replica, attached.output))
    }

    /// The image's name and what it starts. One that somebody took out of the engine is brought there again.
    async fn image(&self) -> Result<Image, Failure> {
        let images = &self.shared.host.images;
        let mut is_second_try = false;
        loop {
            let image = images.ensure(&self.engine, &self.run.program).await?;
            match self.engine.docker.inspect_image(&image).await {
                Ok(inspected) => return Ok((image, self.program(inspected.config.unwrap_or_default())?)),
                Err(EngineError::DockerResponseServerError { status_code: 404, .. }) if !is_second_try => {
                    images.forget(&image);
                    is_second_try = true;
                }
                Err(error) => return Err(lost(&error)),
            }
        }
    }

    /// What the image starts, with the run's arguments in the place of its own.
    fn program(&self, config: ImageConfig) -> Result<Vec<String>, Failure> {
        let args = &self.run.program.args;
        let args = if args.is_empty() { config.cmd.unwrap_or_default() } else { args.clone() };
        let program: Vec<String> = config.entrypoint.unwrap_or_default().into_iter().chain(args).collect();
        if program.is_empty() {
            let message = "the image names no program, and neither does the service".to_owned();
            return Err(Failure::InvalidProgram { message });
        }
        Ok(program)
    }

    fn container<'a>(
        &'a self,
        image: &'a str,
        (program, runtime, gpus): (Vec<String>, Option<String>, &'a Passed),
        volumes: &[PathBuf],
        meter: &Meter,
    ) -> Container<'a> {
        let limits = &self.run.limits;
        let (outlets, hosts) = loopback(&self.run.outlets);
        let most = self.connections_max();
        let socket = format!("{SOCKET_FOLDER}/{}", door::SOCKET);
        let (connections, patience_s) =
            ((most + door::PROBES_MAX as u32).to_string(), NODE_PATIENCE.as_secs().to_string());
        let has_secrets = !self.run.secrets.is_empty();
        let mode = if has_secrets { "start-with-secrets" } else { "start" };
        let door = [DOOR_PATH, mode, &socket, &connections, &patience_s, &outlets].map(str::to_owned);
        Container {
            image,
            entrypoint: Some(door.to_vec()),
            args: program,
            env: &self.run.program.env,
            // Both ways, and both directions of each connection.
            allowed: Allowed::replica(limits, &self.run.volumes, 4 * most + DOOR_THREADS),
            has_stdin: false,
            mounts: self.mounts(volumes),
            private_folder: has_secrets.then_some((secrets::FOLDER, secrets::FOLDER_BYTES_MAX)),
            network: Network::Loopback { hostname: HOSTNAME, hosts },
            owner: &self.shared.host.owner,
            cgroup_parent: self.engine.makes_cgroups.then(|| meter.group()),
            runtime,
            user: create::user(),
            gpus,
            is_podman: self.engine.is_podman,
            user_processes_max: self.engine.user_processes_max,
        }
    }

    fn mounts(&self, volumes: &[PathBuf]) -> Vec<Mount> {
        let usual = [
            bind(&self.scratch.tmp_dir(), "/tmp", false),
            bind(&self.shared.door(), DOOR_PATH, true),
            bind(&self.socket_folder(), SOCKET_FOLDER, true),
        ];
        let of_volumes =
            self.run.volumes.iter().zip(volumes).map(|(volume, path)| bind(path, &volume.path, false));
        usual.into_iter().chain(of_volumes).collect()
    }

    fn socket_folder(&self) -> PathBuf {
        self.folder.join("node")
    }

    fn connections_max(&self) -> u32 {
        let most = self.run.limits.memory_bytes / MEMORY_PER_CONNECTION;
        most.clamp(CONNECTIONS_MIN, CONNECTIONS_MAX) as u32
    }

    /// Removes the container, then the folders, then the counters. As long as there is a container, it may
    /// write into the folders: they stay, and so does its place.
    async fn clear(self, replica: Option<Arc<Replica>>) {
        loop {
            let removed = timeout(ORDER_WAIT, remove(&self.engine.docker, &self.name)).await;
            if removed == Ok(true) {
                break;
            }
            // The engine is in trouble; nobody needs to wait for it.
            if let Some(replica) = &replica {
                replica.cleared.cancel();
            }
            let again = self.shared.stopping.run_until_cancelled(tokio::time::sleep(RETRY)).await;
            if again.is_none() {
                return;
            }
        }
        let folder = self.folder.clone();
        let removed = tokio::task::spawn_blocking(move || remove_tree(&folder)).await;
        let removed = removed.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        if let Err(error) = removed {
            tracing::warn!(folder = %self.folder.display(), %error, "the files of a replica stay");
        } else {
            self.shared.give_back(self.place);
        }
        if let Some(replica) = replica {
            for _ in 0..CLEAR_TRIES {
                if replica.measure.clear() {
                    break;
                }
                tokio::time::sleep(CLEAR_WAIT).await;
            }
            replica.cleared.cancel();
        }
    }
}

/// The door listens on the ports of outlets, in the same network as the program: on one port, only one of both
/// can.
fn check_outlets(run: &ServiceRun) -> Result<(), Failure> {
    let Some((host, port)) = run.outlets.iter().find(|(_, port)| run.ports.contains(port)) else {
        return Ok(());
    };
    let message =
        format!("port {port} is its own, so it cannot reach '{host}:{port}': one of both must be another");
    Err(Failure::InvalidProgram { message })
}

/// Where the door listens for each outlet, and what the names stand for: an address of the loopback for each
/// name, so that one name may have several ports.
fn loopback(outlets: &[(String, u16)]) -> (String, Vec<String>) {
    let mut names: Vec<&str> = Vec::new();
    let mut listens = Vec::new();
    for (name, port) in outlets {
        let known = names.iter().position(|known| known == name);
        let number = known.unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        listens.push(format!("{}:{port}", address(number)));
    }
    let own = (!names.contains(&HOSTNAME)).then(|| format!("{HOSTNAME}:{}", Ipv4Addr::LOCALHOST));
    let hosts = names.iter().enumerate().map(|(number, name)| format!("{name}:{}", address(number)));
    (listens.join(","), hosts.chain(own).collect())
}

fn address(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, u8::try_from(number + 1).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_an_address_and_each_outlet_a_place() {
        let outlet = |name: &str, port| (name.to_owned(), port);
        let outlets = [outlet("db", 5432), outlet("cache", 80), outlet("db", 80)];
        let (listens, hosts) = loopback(&outlets);
        assert_eq!(listens, "127.0.1.1:5432,127.0.1.2:80,127.0.1.1:80");
        assert_eq!(hosts, ["db:127.0.1.1", "cache:127.0.1.2", "service:127.0.0.1"]);
        assert_eq!(loopback(&[outlet("service", 1)]).1, ["service:127.0.1.1"]);
        assert_eq!(loopback(&[]).0, "");
    }
}
