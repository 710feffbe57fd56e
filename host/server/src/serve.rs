//! Start and stop: connections in, bounded in number and time; on the signal, work under way may end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::keeper::{Keeper, ServiceError};
use crate::limits::ServiceLimits;
use crate::service::Service;
use crate::worker::Worker;

/// How often a store that nobody uses is looked at. Requests notice a failure by themselves.
const STORE_CHECK: Duration = Duration::from_secs(1);
/// After an error of `accept`, such as too many open files: some connection has to end first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` is done; then takes no further connections, gives requests under way
/// [`ServiceLimits::drain_time`], and closes the service.
///
/// # Errors
/// What closing the store reports. Nothing that was acknowledged is lost in any case.
pub async fn serve(
    service: Service,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServiceError> {
    let limits = service.shared.limits.clone();
    let watch = tokio::spawn(watch(Arc::clone(&service.shared.keeper)));
    let worker = Worker::start(&service.shared);
    let connections = GracefulShutdown::new();
    tokio::select! {
        () = accept(&service, &listener, &limits, &connections) => {}
        () = shutdown => {}
    }
    drop(listener);
    tracing::info!("shutting down; requests under way may end");
    let drained = async {
        if timeout(limits.drain_time, connections.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end in time and were cut off");
        }
    };
    let handed_over = async {
        if let Some(worker) = worker {
            worker.stop(limits.drain_time).await;
        }
    };
    tokio::join!(drained, handed_over);
    watch.abort();
    service.close().await
}

async fn accept(service: &Service, listener: &TcpListener, limits: &ServiceLimits, connections: &GracefulShutdown) {
    let router = service.router();
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.receive_time);
    let room = Arc::new(Semaphore::new(limits.connections));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        prepare(&stream);
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let connection = connections.watch(connection.into_owned());
        tokio::spawn(async move {
            // A caller that went away is no event.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
}

/// Answers are written at once; without this they would wait for the caller's acknowledgement of earlier ones.
fn prepare(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no-delay was not set");
    }
}

async fn watch(keeper: Arc<Keeper>) {
    let mut ticks = interval(STORE_CHECK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        keeper.check();
    }
}
