//! The service inside this process: for `--data`, `serve` and `demo`.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use backroom_server::{Service, ServiceError, ServiceLimits, ServiceOptions, serve};
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::io::ReaderStream;
use tower::ServiceExt as _;

use crate::exit::{Failure, Result};

/// The largest reply that is read in this process; see the client's.
const MAX_REPLY: usize = 256 << 20;

/// A service with no socket: its routes are called as functions. It trusts whoever may open the data directory.
pub(crate) struct InProcess {
    runtime: Runtime,
    service: Service,
}

impl InProcess {
    /// Opens a data directory, which no other process may hold.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let runtime = runtime()?;
        let service = open(&runtime, dir, ServiceLimits::default())?;
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
            tracing::warn!(%error, "the data directory was not closed cleanly; it is recovered when it is opened again");
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
    /// Opens a data directory and begins to listen.
    pub(crate) fn start(dir: &Path, listen: SocketAddr, limits: ServiceLimits) -> Result<Self> {
        let runtime = runtime()?;
        let service = open(&runtime, dir, limits)?;
        let listener = runtime.block_on(TcpListener::bind(listen));
        let listener =
            listener.with_context(|| format!("cannot listen on {listen}; `--listen` names another address"))?;
        let address = listener.local_addr().context("cannot learn the address")?;
        let (stop, stopped) = oneshot::channel();
        // A dropped sender is a stop as well.
        let served = runtime.spawn(serve(service.clone(), listener, async { drop(stopped.await) }));
        Ok(Self { runtime, service, address, stop, served })
    }

    /// Makes the administrator's key of a new data directory; none if there are keys.
    pub(crate) fn first_key(&self) -> Result<Option<String>> {
        let made = self.service.create_first_key();
        Ok(made.context("cannot make the first API key")?)
    }

    /// Serves until the process is told to stop, then lets what is under way end.
    pub(crate) fn wait_for_signal(self) -> Result {
        let signal = self.runtime.block_on(signal());
        signal.context("cannot wait for a signal to stop")?;
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

fn open(runtime: &Runtime, dir: &Path, limits: ServiceLimits) -> Result<Service> {
    let _inside = runtime.enter();
    refuse_foreign(dir)?;
    let opened = Service::open(ServiceOptions { limits, ..ServiceOptions::new(dir) });
    opened.map_err(|error| {
        let error = anyhow::Error::new(error);
        Failure::Unavailable(error.context(format!("cannot open the data directory {}", dir.display())))
    })
}

/// A folder that holds something else is not made a data directory of.
fn refuse_foreign(dir: &Path) -> Result {
    let known = ["LOCK", "log", "state", "releases"];
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
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    Ok(runtime.context("cannot start the threads of the service")?)
}

async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
