//! The heads of chains as the database has them. Many units of work begin by asking for one: who asks while a question is
//! on its way goes with the next one, so that there is one statement for all of them.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use tokio_postgres::{Error, Row};

use super::block::block_on;
use super::core::{ATTEMPTS, ended, head_of};
use super::failure::Failure;
use super::pool::{Connection, Connector, Rights};
use crate::error::StoreError;
use crate::types::{Head, TenantNo};

const SQL: &str = "SELECT number, hash, tenant FROM backroom.chain_head WHERE tenant = ANY ($1)";

/// See the module.
pub(super) struct Heads {
    state: Mutex<State>,
    connector: Connector,
    /// Its own, as it is in use all the time, and the owner's: readers see one tenant at a time.
    connection: Mutex<Option<Connection>>,
}

#[derive(Default)]
struct State {
    /// They go with the next question.
    next: Vec<Arc<Question>>,
    /// Somebody asks, and hands on.
    asking: bool,
}

struct Question {
    tenant: TenantNo,
    turn: Mutex<Turn>,
    told: Condvar,
}

enum Turn {
    Waits,
    /// It is for who asked this one to ask for all.
    Asks,
    Answered(Result<Head, StoreError>),
}

impl Heads {
    pub(super) fn new(connector: Connector) -> Self {
        Self { state: Mutex::default(), connector, connection: Mutex::default() }
    }

    /// The head of the tenant's chain at some moment after this was called.
    ///
    /// # Errors
    /// What reading reports.
    pub(super) fn ask(&self, tenant: TenantNo) -> Result<Head, StoreError> {
        let question = Arc::new(Question { tenant, turn: Mutex::new(Turn::Waits), told: Condvar::new() });
        let others = {
            let mut state = self.state.lock();
            state.next.push(Arc::clone(&question));
            std::mem::replace(&mut state.asking, true)
        };
        if others && let Some(answer) = question.wait() {
            return answer;
        }
        let asked = Asked { heads: self, questions: std::mem::take(&mut self.state.lock().next) };
        let found = self.find(&asked.questions);
        for question in &asked.questions {
            let head = |heads: &HashMap<TenantNo, Head>| heads.get(&question.tenant).copied().unwrap_or_default();
            question.tell(Turn::Answered(found.as_ref().map(head).map_err(Clone::clone)));
        }
        drop(asked);
        question.wait().unwrap_or_else(|| Err(ended()))
    }

    fn find(&self, questions: &[Arc<Question>]) -> Result<HashMap<TenantNo, Head>, StoreError> {
        let tenants: Vec<i64> = questions.iter().map(|question| i64::from(question.tenant.0)).collect();
        let found = self.rows(&tenants)?.into_iter().map(|row| {
            let tenant = TenantNo(u32::try_from(row.get::<_, i64>(2)).unwrap_or(u32::MAX));
            head_of(&row, 0).map(|head| (tenant, head))
        });
        found.collect()
    }

    /// Asks once more on another connection if this one was lost.
    fn rows(&self, tenants: &[i64]) -> Result<Vec<Row>, StoreError> {
        let mut held = self.connection.lock();
        let mut attempt = 1;
        loop {
            let connection = match held.take().filter(|connection| !connection.is_closed()) {
                Some(connection) => connection,
                None => self.connector.connect(Rights::Owner)?,
            };
            match query(&connection, tenants) {
                Ok(rows) => {
                    *held = Some(connection);
                    return Ok(rows);
                }
                Err(error) if attempt < ATTEMPTS && matches!(Failure::of(&error), Failure::Lost(_)) => attempt += 1,
                Err(error) => return Err(Failure::read(&error)),
            }
        }
    }
}

fn query(connection: &Connection, tenants: &[i64]) -> Result<Vec<Row>, Error> {
    block_on(connection.query(&connection.prepared(SQL)?, &[&tenants]))
}

impl Question {
    /// The answer, or none if it is for the caller to ask.
    fn wait(&self) -> Option<Result<Head, StoreError>> {
        let mut turn = self.turn.lock();
        loop {
            match &*turn {
                Turn::Waits => self.told.wait(&mut turn),
                Turn::Asks => return None,
                Turn::Answered(answer) => return Some(answer.clone()),
            }
        }
    }

    /// The first answer stands.
    fn tell(&self, told: Turn) {
        let mut turn = self.turn.lock();
        if !matches!(&*turn, Turn::Answered(_)) {
            *turn = told;
            self.told.notify_one();
        }
    }
}

/// Questions that are asked. When that is over, a panic included, nobody waits for them, and somebody else asks next.
struct Asked<'a> {
    heads: &'a Heads,
    questions: Vec<Arc<Question>>,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        for question in &self.questions {
            question.tell(Turn::Answered(Err(ended())));
        }
        let mut state = self.heads.state.lock();
        match state.next.first() {
            Some(next) => next.tell(Turn::Asks),
            None => state.asking = false,
        }
    }
}
