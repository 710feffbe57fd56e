//! What is read record by record, by units of work and by others. Most units of work begin with the head of their chain, or
//! with records that bring it along, and do little else. So who asks while questions are on their way goes with the next
//! ones: there is one trip, and one statement for each table, for all of them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::block::{Pipeline, block_on};
use super::core::{ATTEMPTS, ended, head_of, revision_of};
use super::failure::{Failure, unavailable};
use super::layout::{HEADS, Layout};
use super::pool::{Connection, Connector, Rights};
use crate::error::StoreError;
use crate::types::{Head, TenantNo};

/// Records that are asked for in one trip, unless somebody wants more at once: the others wait for the answer as well.
const RECORDS: usize = 1_000;

/// See the module.
pub(super) struct Reads {
    state: Mutex<State>,
    connector: Connector,
    /// Its own, as it is in use all the time.
    connection: Mutex<Option<Connection>>,
}

#[derive(Default)]
struct State {
    /// They go with the next trip.
    next: VecDeque<Arc<Question>>,
    /// Somebody is on the way, or about to be. Two trips at a time, each smaller, were measured to be no quicker.
    asking: bool,
}

/// What is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The head alone.
    Head,
    /// A record: its table, and the key as it stands there.
    Record(usize, Vec<u8>),
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    /// The tenant's head when the record was read.
    pub(super) head: Head,
    pub(super) body: Option<Arc<[u8]>>,
}

type Answer = Result<Vec<Found>, StoreError>;

struct Question {
    tenant: TenantNo,
    wanted: Vec<Wanted>,
    turn: Mutex<Turn>,
    told: Condvar,
}

enum Turn {
    Waits,
    /// It is for who asked this one to ask for others as well. It goes with nobody else then.
    Asks,
    Answered(Answer),
}

impl Reads {
    pub(super) fn new(connector: Connector) -> Self {
        Self { state: Mutex::default(), connector, connection: Mutex::default() }
    }

    /// The head of the tenant's chain at some moment after this was called.
    ///
    /// # Errors
    /// What reading reports.
    pub(super) fn head(&self, layout: &Layout, tenant: TenantNo) -> Result<Head, StoreError> {
        let found = self.ask(layout, tenant, vec![Wanted::Head])?;
        Ok(found.first().map(|found| found.head).unwrap_or_default())
    }

    /// What is wanted of a tenant, each with the head of its chain at that moment, which is some moment after this was called.
    ///
    /// # Errors
    /// What reading reports.
    pub(super) fn ask(&self, layout: &Layout, tenant: TenantNo, wanted: Vec<Wanted>) -> Answer {
        let question = Arc::new(Question { tenant, wanted, turn: Mutex::new(Turn::Waits), told: Condvar::new() });
        let others = {
            let mut state = self.state.lock();
            let others = std::mem::replace(&mut state.asking, true);
            if others {
                state.next.push_back(Arc::clone(&question));
            }
            others
        };
        if others && let Some(answer) = question.wait() {
            return answer;
        }
        self.go(layout, Arc::clone(&question));
        question.wait().unwrap_or_else(|| Err(ended()))
    }

    /// One trip, for this question and others that wait.
    fn go(&self, layout: &Layout, first: Arc<Question>) {
        let asked = Asked { reads: self, questions: self.state.lock().with(first) };
        match self.find(layout, &asked.questions) {
            Ok(answers) => {
                for (question, answer) in asked.questions.iter().zip(answers) {
                    question.tell(Turn::Answered(answer));
                }
            }
            Err(error) => {
                for question in &asked.questions {
                    question.tell(Turn::Answered(Err(error.clone())));
                }
            }
        }
    }

    fn find(&self, layout: &Layout, questions: &[Arc<Question>]) -> Result<Vec<Answer>, StoreError> {
        let tables = Table::each(questions);
        let mut answers: Vec<Answer> =
            questions.iter().map(|question| Ok(vec![Found::default(); question.wanted.len()])).collect();
        for (table, rows) in tables.values().zip(self.rows(layout, &tables)?) {
            if rows.len() != table.places.len() {
                return Err(unavailable("not every read had an answer"));
            }
            for row in &rows {
                let at = usize::try_from(revision_of(row.get(0))).ok().and_then(|number| number.checked_sub(1));
                let place = at.and_then(|at| table.places.get(at));
                let Some((answer, at)) = place.and_then(|(question, at)| Some((answers.get_mut(*question)?, *at)))
                else {
                    return Err(unavailable("an answer came to no read"));
                };
                // What is damaged is damaged for its own tenant alone.
                match (head_of(row, 1), answer.as_mut().ok().and_then(|found| found.get_mut(at))) {
                    (Ok(head), Some(found)) => {
                        *found = Found { head, body: row.get::<_, Option<&[u8]>>(3).map(Arc::from) };
                    }
                    (Err(error), _) => *answer = Err(error),
                    (Ok(_), None) => {}
                }
            }
        }
        Ok(answers)
    }

    /// Asks once more on another connection if this one was lost.
    fn rows(&self, layout: &Layout, tables: &Tables<'_>) -> Result<Vec<Vec<Row>>, StoreError> {
        let mut held = self.connection.lock();
        let mut attempt = 1;
        loop {
            let connection = match held.take().filter(|connection| !connection.is_closed()) {
                Some(connection) => connection,
                None => self.connector.connect(Rights::Reader)?,
            };
            match query(&connection, layout, tables) {
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

/// What is wanted of one table.
#[derive(Default)]
struct Table<'a> {
    tenants: Vec<i64>,
    keys: Vec<&'a [u8]>,
    /// Question and place in it.
    places: Vec<(usize, usize)>,
}

/// By segment; the heads have none.
type Tables<'a> = BTreeMap<Option<usize>, Table<'a>>;

impl<'a> Table<'a> {
    fn each(questions: &'a [Arc<Question>]) -> Tables<'a> {
        let mut tables = Tables::new();
        for (number, question) in questions.iter().enumerate() {
            for (at, wanted) in question.wanted.iter().enumerate() {
                let (segment, key) = match wanted {
                    Wanted::Head => (None, &[][..]),
                    Wanted::Record(segment, key) => (Some(*segment), key.as_slice()),
                };
                let table = tables.entry(segment).or_default();
                table.tenants.push(i64::from(question.tenant.0));
                table.keys.push(key);
                table.places.push((number, at));
            }
        }
        tables
    }
}

fn query(connection: &Connection, layout: &Layout, tables: &Tables<'_>) -> Result<Vec<Vec<Row>>, Error> {
    let mut calls = Vec::new();
    for (segment, table) in tables {
        let sql = segment.and_then(|segment| layout.segment(segment)).map_or(HEADS, |segment| &segment.sql.read);
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&table.tenants];
        if segment.is_some() {
            parameters.push(&table.keys);
        }
        calls.push((connection.prepared(sql)?, parameters));
    }
    let mut pipeline = Pipeline::new();
    for (statement, parameters) in &calls {
        pipeline.push(connection.query(statement, parameters));
    }
    block_on(pipeline).into_iter().collect()
}

impl State {
    /// What goes on a trip with this question: the others first come, first served.
    fn with(&mut self, first: Arc<Question>) -> Vec<Arc<Question>> {
        let mut records = first.wanted.len();
        let mut questions = vec![first];
        while let Some(next) = self.next.pop_front_if(|next| records + next.wanted.len() <= RECORDS) {
            records += next.wanted.len();
            questions.push(next);
        }
        questions
    }
}

impl Question {
    /// The answer, or none if it is for the caller to ask.
    fn wait(&self) -> Option<Answer> {
        let mut turn = self.turn.lock();
        loop {
            match std::mem::replace(&mut *turn, Turn::Waits) {
                Turn::Waits => self.told.wait(&mut turn),
                Turn::Asks => return None,
                Turn::Answered(answer) => return Some(answer),
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
    reads: &'a Reads,
    questions: Vec<Arc<Question>>,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for question in &self.questions {
                question.tell(Turn::Answered(Err(ended())));
            }
        }
        let mut state = self.reads.state.lock();
        match state.next.pop_front() {
            Some(next) => next.tell(Turn::Asks),
            None => state.asking = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(records: usize) -> Arc<Question> {
        let wanted = vec![Wanted::Record(1, Vec::new()); records];
        Arc::new(Question { tenant: TenantNo(1), wanted, turn: Mutex::new(Turn::Waits), told: Condvar::new() })
    }

    #[test]
    fn a_trip_has_some_of_the_questions_in_their_order_and_at_least_one() {
        let mut state = State { next: [RECORDS + 1, 1, RECORDS - 1, 1].map(question).into(), asking: true };
        let mut trips = Vec::new();
        while let Some(first) = state.next.pop_front() {
            trips.push(state.with(first).iter().map(|question| question.wanted.len()).collect::<Vec<_>>());
        }
        assert_eq!(trips, [vec![RECORDS + 1], vec![1, RECORDS - 1], vec![1]]);
    }
}
