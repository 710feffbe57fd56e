//! Connections: opened when they are needed, given back, never more than the limit.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::runtime::Handle;
use tokio_postgres::{Client, Error, Statement};

use super::block::block_on;
use super::failure::{Failure, unavailable, words};
use super::options::PostgresOptions;
use super::tls::Database;
use crate::error::StoreError;

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rights {
    /// Everything: for the committer, the log and migrations.
    Owner,
    /// Reads what the tenant that is set may see, and nothing while none is set.
    Reader,
}

/// The longest that Linux takes.
const LONGEST_KEEPALIVE: Duration = Duration::from_secs(32_767);

/// What the driver says of a server without TLS; it has no kind of error for it.
const NO_TLS: &str = "server does not support TLS";

/// A plan that was made while a table was small must not outlive that: all statements read by key, in the order of keys, and a
/// page at a time. And what may be seen is told row by row within one statement: nothing of it is to be taken from a row before.
const READING: &str = "
    SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_memoize = off;
    SET plan_cache_mode = force_generic_plan;
    SET default_transaction_read_only = on; SET ROLE backroom_reader;";

/// How connections are made.
#[derive(Clone)]
pub(super) struct Connector {
    database: Database,
    runtime: Handle,
    connect_timeout: Duration,
    settings: String,
}

impl Connector {
    pub(super) fn new(url: &str, options: &PostgresOptions, runtime: Handle) -> Result<Self, StoreError> {
        let mut database = Database::parse(url)?;
        if database.config.get_application_name().is_none() {
            database.config.application_name("backroom");
        }
        database.config.connect_timeout(options.connect_timeout);
        // A server whose machine takes nothing of what it is sent for so long is gone. One whose statement waits for a lock may take
        // as long as a statement may. Unless the URL says how, it would be for the system: a quarter of an hour for what was
        // sent, and two hours for who only waits.
        let silence = options.statement_timeout.saturating_add(options.connect_timeout);
        let says = |word: &str| url.contains(word);
        // For the server, nothing is as long as one likes.
        if !says("tcp_user_timeout") && !options.statement_timeout.is_zero() {
            database.config.tcp_user_timeout(silence);
        }
        let taken = |time: Duration| time.clamp(Duration::from_secs(1), LONGEST_KEEPALIVE);
        if !says("keepalives_idle") {
            database.config.keepalives_idle(taken(silence / 2));
        }
        if !says("keepalives_interval") {
            database.config.keepalives_interval(taken(silence / 8));
        }
        if !says("keepalives_retries") {
            database.config.keepalives_retries(3);
        }
        // No statement takes so long that compiling it would pay; and what it is thought to cost, by which that is decided, says
        // nothing where kinds of plans are forbidden: 4 ms were taken for a row that is read in 0.02 (measured).
        let settings = format!(
            "SET jit = off; SET statement_timeout = {}; SET idle_in_transaction_session_timeout = {};",
            options.statement_timeout.as_millis(),
            options.idle_timeout.as_millis()
        );
        Ok(Self { database, runtime, connect_timeout: options.connect_timeout, settings })
    }

    /// Opens a connection, which the engine's threads drive.
    pub(super) fn connect(&self, rights: Rights) -> Result<Connection, StoreError> {
        match block_on(self.runtime.spawn(self.clone().connecting(rights))) {
            Ok(connected) => connected,
            Err(ended) => Err(unavailable(&ended.to_string())),
        }
    }

    /// Opens a connection, which the runtime drives in which this is done.
    pub(super) async fn connecting(self, rights: Rights) -> Result<Connection, StoreError> {
        let settings = match rights {
            Rights::Owner => self.settings.clone(),
            Rights::Reader => {
                format!("{} {READING}", self.settings)
            }
        };
        let connecting = async {
            let (client, connection) = self.database.connect().await?;
            // Its end shows in the client.
            tokio::spawn(async move { drop(connection.await) });
            client.batch_execute(&settings).await?;
            Ok(client)
        };
        match tokio::time::timeout(self.connect_timeout, connecting).await {
            Ok(Ok(client)) => Ok(Connection { client, rights, statements: Mutex::default() }),
            Ok(Err(error)) if words(&error).contains(NO_TLS) => Err(unavailable(&format!(
                "{}; say sslmode=disable in the database URL if nobody can listen in between",
                words(&error)
            ))),
            Ok(Err(error)) => Err(Failure::read(&error)),
            Err(_elapsed) => Err(unavailable("no connection within the time allowed")),
        }
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }
}

/// How long the texts of all statements may be that are kept on a connection; the server takes about a hundred times as much for
/// them. Those of groups of entries are as many as there are ways to change some tables at once, of which nobody knows how
/// many will be in use.
const TEXTS: usize = 512 << 10;

/// One connection and the statements that were prepared on it.
pub(super) struct Connection {
    client: Client,
    pub(super) rights: Rights,
    statements: Mutex<HashMap<String, Statement>>,
}

impl Connection {
    /// The statement for this text; prepared once. A trip to the server the first time.
    pub(super) fn prepared(&self, sql: &str) -> Result<Statement, Error> {
        block_on(self.statement(sql))
    }

    /// As [`Connection::prepared`], for who is waited for elsewhere.
    pub(super) async fn statement(&self, sql: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.lock().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        let mut statements = self.statements.lock();
        if statements.keys().map(String::len).sum::<usize>() + sql.len() > TEXTS {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// A bounded number of connections.
pub(super) struct Pool {
    connector: Connector,
    limit: usize,
    patience: Duration,
    state: Mutex<State>,
    free: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    open: usize,
}

impl Pool {
    pub(super) fn new(connector: Connector, limit: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self { connector, limit: limit.max(1), patience, state: Mutex::default(), free: Condvar::new() })
    }

    /// A connection with these rights; waits for one while all are in use.
    pub(super) fn get(self: &Arc<Self>, rights: Rights) -> Result<Leased, StoreError> {
        if let Some(connection) = self.find(rights)? {
            return Ok(Leased { connection: Some(connection), pool: Arc::clone(self) });
        }
        // Its place is taken; the guard gives it back if there will be no connection.
        let mut leased = Leased { connection: None, pool: Arc::clone(self) };
        leased.connection = Some(self.connector.connect(rights)?);
        Ok(leased)
    }

    /// One that is idle, or `None` and a place for a new one.
    fn find(&self, rights: Rights) -> Result<Option<Connection>, StoreError> {
        let deadline = Instant::now() + self.patience;
        let mut state = self.state.lock();
        loop {
            let before = state.idle.len();
            state.idle.retain(|connection| !connection.is_closed());
            state.open -= before - state.idle.len();
            if let Some(at) = state.idle.iter().rposition(|connection| connection.rights == rights) {
                return Ok(Some(state.idle.swap_remove(at)));
            }
            if state.open < self.limit {
                state.open += 1;
                return Ok(None);
            }
            if state.idle.pop().is_some() {
                // One with other rights makes way.
                return Ok(None);
            }
            if self.free.wait_until(&mut state, deadline).timed_out() {
                let (limit, ms) = (self.limit, self.patience.as_millis());
                return Err(StoreError::Busy(format!("all {limit} connections were in use for {ms} ms")));
            }
        }
    }

    /// After a connection was lost the others are most likely lost as well.
    pub(super) fn forget_idle(&self) {
        let mut state = self.state.lock();
        state.open -= state.idle.len();
        state.idle.clear();
        self.free.notify_all();
    }

    fn give_back(&self, connection: Option<Connection>) {
        let mut state = self.state.lock();
        match connection.filter(|connection| !connection.is_closed()) {
            Some(connection) => state.idle.push(connection),
            None => state.open -= 1,
        }
        self.free.notify_one();
    }
}

/// A connection in use; given back when it is dropped.
pub(super) struct Leased {
    connection: Option<Connection>,
    pool: Arc<Pool>,
}

impl Leased {
    /// The connection.
    pub(super) fn get(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or_else(|| unavailable("the connection is gone"))
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        self.pool.give_back(self.connection.take());
    }
}
