//! The service inside this process: for `--data`, `--database-url`, `serve` and `demo`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use backroom_runtime::Compiler;
use backroom_server::{Place, Service, ServiceError, ServiceOptions, serve};
use backroom_store::MasterKey;
use backroom_store::sched::Pace;
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::io::ReaderStream;
use tower::ServiceExt as _;
use zeroize::Zeroizing;

use crate::exit::{Failure, Result};

/// The largest reply that is read in this process; see the client's.
const MAX_REPLY: usize = 256 << 20;

/// Names the file with the master key.
pub(crate) const MASTER_KEY_FILE: &str = "BACKROOM_MASTER_KEY_FILE";

/// A service with no socket: its routes are called as functions. It trusts whoever may open the data directory or the
/// database.
pub(crate) struct InProcess {
    runtime: Runtime,
    service: Service,
}

impl InProcess {
    /// Opens a data directory, which no other process may hold, or a database.
    pub(crate) fn open(place: &Place) -> Result<Self> {
        let runtime = runtime()?;
        let service = open(&runtime, place, &|_| {})?;
        Ok(Self { runtime, service })
    }

    /// Calls a route with a file as its body.
    pub(crate) fn upload(&self, request: Request<()>, file: std::fs::File) -> Result<(StatusCode, String)> {
        let body = Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file)));
        self.runtime.block_on(async {
            let Ok(response) = self.service.local_router().oneshot(request.map(|()| body)).await;
            read(response).await
        })
    }

    /// Calls a route whose successful answer is a file, and writes it to `out`; the text is of any other answer.
    pub(crate) fn download(
        &self,
        request: Request<Vec<u8>>,
        out: &mut dyn std::io::Write,
    ) -> Result<(StatusCode, String)> {
        self.runtime.block_on(async {
            let Ok(mut response) = self.service.local_router().oneshot(request.map(Body::from)).await;
            if !response.status().is_success() {
                return read(response).await;
            }
            while let Some(frame) = response.body_mut().frame().await {
                let Ok(data) = frame.context("the reply broke off")?.into_data() else { continue };
                out.write_all(&data).context("the file cannot be written")?;
            }
            Ok((response.status(), String::new()))
        })
    }

    /// Calls a route.
    pub(crate) fn call(&self, request: Request<Vec<u8>>) -> Result<(StatusCode, String)> {
        self.runtime.block_on(call(&self.service, request))
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        if let Err(error) = self.runtime.block_on(self.service.close()) {
            tracing::warn!(%error, "the store was not closed cleanly; it is recovered when it is opened again");
        }
    }
}

/// A service that listens, until it is told to stop.
pub(crate) struct Server {
    runtime: Runtime,
    service: Service,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::result::Result<(), ServiceError>>,
}

impl Server {
    /// Opens a data directory or a database and begins to listen.
    pub(crate) fn start(place: &Place, listen: SocketAddr, adapt: &dyn Fn(&mut ServiceOptions)) -> Result<Self> {
        let runtime = runtime()?;
        // First of all: a new data directory is made only by a start that can show its first key.
        let listener = runtime.block_on(TcpListener::bind(listen));
        let listener =
            listener.with_context(|| format!("cannot listen on {listen}; `--listen` names another address"))?;
        let service = open(&runtime, place, adapt)?;
        let address = listener.local_addr().context("cannot learn the address")?;
        let (stop, stopped) = oneshot::channel();
        // A dropped sender is a stop as well.
        let served = runtime.spawn(serve(service.clone(), listener, async { drop(stopped.await) }));
        Ok(Self { runtime, service, address, stop, served })
    }

    /// Makes the administrator's key of a new data directory or database; none if there are keys.
    pub(crate) fn first_key(&self) -> Result<Option<String>> {
        let made = self.service.create_first_key();
        Ok(made.context("cannot make the first API key")?)
    }

    /// Calls a route as whoever may open the data directory, past the socket.
    pub(crate) fn call(&self, request: Request<Vec<u8>>) -> Result<(StatusCode, String)> {
        self.runtime.block_on(call(&self.service, request))
    }

    /// Signals to stop are for this server from now on, and no longer end the process at once. To be called before anybody
    /// is told that it listens: who knows of it may stop it.
    pub(crate) fn take_signals(&self) -> Result<Signals> {
        let _inside = self.runtime.enter();
        Signals::take().context("cannot wait for a signal to stop").map_err(Failure::from)
    }

    /// Serves until the process is told to stop, then lets what is under way end.
    pub(crate) fn serve_until(self, mut signals: Signals) -> Result {
        self.runtime.block_on(signals.next());
        tracing::info!("told to stop; what is under way may end");
        self.stop()
    }

    /// Stops: no new request, those under way end, everything is on disk.
    pub(crate) fn stop(self) -> Result {
        // If nobody listens any more it has stopped already, and `served` says why.
        let _ = self.stop.send(());
        let ended = self.runtime.block_on(self.served).context("the server broke off")?;
        Ok(ended.context("the server ended with an error")?)
    }
}

async fn call(service: &Service, request: Request<Vec<u8>>) -> Result<(StatusCode, String)> {
    let Ok(response) = service.local_router().oneshot(request.map(Body::from)).await;
    read(response).await
}

async fn read(response: Response<Body>) -> Result<(StatusCode, String)> {
    let status = response.status();
    let body = to_bytes(response.into_body(), MAX_REPLY).await.context("the reply broke off")?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

fn open(runtime: &Runtime, place: &Place, adapt: &dyn Fn(&mut ServiceOptions)) -> Result<Service> {
    let _inside = runtime.enter();
    // The URL may hold a password.
    let what = match place {
        Place::Folder(dir) => {
            refuse_foreign(dir)?;
            format!("cannot open the data directory {}", dir.display())
        }
        Place::Database { .. } => "cannot open the database".to_owned(),
    };
    let mut options = ServiceOptions::at(place.clone());
    options.store.master_key = master_key()?;
    options.runtime.compile.compiler = Compiler::Child { program: own_program()? };
    adapt(&mut options);
    let opened = Service::open(options);
    opened.map_err(|error| Failure::Unavailable(anyhow::Error::new(error).context(what)))
}

/// This very program, for the service's children: not what lies under its path now, which may be a newer one.
pub(crate) fn own_program() -> Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        return Ok(running.to_owned());
    }
    Ok(std::env::current_exe().context("cannot learn where this program is, to have it compile plugins")?)
}

/// The key that the keys of persons are wrapped with, from the file that the environment names. It is never an argument or a
/// variable itself: those end up in process lists and in dumps of the environment.
pub(crate) fn master_key() -> Result<Option<MasterKey>> {
    let Some(path) = std::env::var_os(MASTER_KEY_FILE) else { return Ok(None) };
    let failed = || format!("cannot read the file {} that {MASTER_KEY_FILE} names", path.display());
    let text = Zeroizing::new(std::fs::read_to_string(&path).with_context(failed)?);
    let key = MasterKey::parse(&text);
    let wrong = || Failure::usage(format!("the file that {MASTER_KEY_FILE} names has to hold 64 hexadecimal digits"));
    key.map(Some).ok_or_else(wrong)
}

/// Does the environment name a master key?
pub(crate) fn has_master_key() -> bool {
    std::env::var_os(MASTER_KEY_FILE).is_some()
}

/// A folder that holds something else is not made a data directory of.
fn refuse_foreign(dir: &Path) -> Result {
    let known = ["LOCK", "FORMAT", "log", "state", "checkpoint", "spare", "keys", "releases", "compiled", ".restoring"];
    let mut inside = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let foreign = inside.find(|entry| !known.iter().any(|name| entry.file_name().to_string_lossy().starts_with(name)));
    match foreign {
        Some(entry) if !dir.join("log").is_dir() => Err(Failure::usage(format!(
            "{} holds other files ({}): name a new or an empty folder",
            dir.display(),
            entry.file_name().display()
        ))),
        _ => Ok(()),
    }
}

fn runtime() -> Result<Runtime> {
    let threads = || Pace::Prompt.take();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().on_thread_start(threads).build();
    Ok(runtime.context("cannot start the threads of the service")?)
}

/// SIGTERM, and SIGINT as of Ctrl-C.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn take() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
