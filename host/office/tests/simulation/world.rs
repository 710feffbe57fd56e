//! The world of one history: clients, hosts over one database, and a scheduler that lets chance decide who is next and what goes
//! wrong. One thread, no clock but a counter: the same seed gives the same history, whatever the machine does.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use backroom_domain::Instant;
use backroom_domain::rights::Rights;
use backroom_office::Office;
use backroom_store::engine::{Engine, Faulty};
use backroom_store::records::Release;
use backroom_store::{Hash, Options, Store, TenantNo};

use crate::execution::{Answer, Came, Execution, RELEASE};
use crate::host::Host;
use crate::model::Model;
use crate::plan::{Ask, Command, TENANTS};
use crate::random::Random;
use crate::script::id;

/// What happened in a history; so that a test can show that everything did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// What single calls were told: done, or the code of a refusal.
    pub(crate) told: BTreeMap<String, u64>,
    pub(crate) refused: u64,
    pub(crate) retried: u64,
    pub(crate) asked_again: u64,
    pub(crate) crashes: u64,
    pub(crate) lost_answers: u64,
    pub(crate) conflicts: u64,
    pub(crate) frozen: u64,
    pub(crate) expired: u64,
    pub(crate) faults: u64,
    pub(crate) plans_kept: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        for (code, count) in &other.told {
            *self.told.entry(code.clone()).or_default() += count;
        }
        self.refused += other.refused;
        self.retried += other.retried;
        self.asked_again += other.asked_again;
        self.crashes += other.crashes;
        self.lost_answers += other.lost_answers;
        self.conflicts += other.conflicts;
        self.frozen += other.frozen;
        self.expired += other.expired;
        self.faults += other.faults;
        self.plans_kept += other.plans_kept;
    }
}

/// The models, by tenant and head.
#[derive(Default)]
pub(crate) struct Books {
    models: HashMap<(TenantNo, Hash), Rc<Model>>,
    /// The command that wrote an entry.
    wrote: HashMap<(TenantNo, Hash), Rc<Command>>,
    durable: HashSet<(TenantNo, Hash)>,
    lost: HashSet<(TenantNo, Hash)>,
    pub(crate) counts: Counts,
}

impl Books {
    pub(crate) fn model(&self, tenant: TenantNo, head: Hash) -> Rc<Model> {
        let empty = || Rc::new(Model::default());
        if head == Hash::ZERO { empty() } else { Rc::clone(&self.models[&(tenant, head)]) }
    }

    /// Notes what the books are if the entry `head`, which follows `base`, comes to be.
    pub(crate) fn add(&mut self, tenant: TenantNo, base: Hash, head: Hash, model: Model, command: &Rc<Command>) {
        assert!(base == Hash::ZERO || self.models.contains_key(&(tenant, base)));
        self.models.insert((tenant, head), Rc::new(model));
        self.wrote.insert((tenant, head), Rc::clone(command));
    }

    pub(crate) fn is_durable(&self, tenant: TenantNo, head: Hash) -> bool {
        head == Hash::ZERO || self.durable.contains(&(tenant, head))
    }

    pub(crate) fn is_lost(&self, tenant: TenantNo, head: Hash) -> bool {
        self.lost.contains(&(tenant, head))
    }

    /// The command that an entry came from.
    pub(crate) fn wrote(&self, tenant: TenantNo, head: Hash) -> &Command {
        &self.wrote[&(tenant, head)]
    }
}

/// One host, from its start to its crash.
pub(crate) struct Machine {
    pub(crate) shared: Arc<dyn Engine>,
    pub(crate) engine: Arc<Host>,
    pub(crate) store: Store,
    pub(crate) office: Office,
    pub(crate) faulty: Arc<Faulty>,
    /// Until then it does nothing, and does not know.
    frozen_until: u64,
    /// How many hosts stood in this place before.
    life: u64,
}

impl Machine {
    pub(crate) fn start(shared: &Arc<dyn Engine>, life: u64, fail_from: u64) -> Self {
        let engine = Arc::new(Host::new(Arc::clone(shared)));
        let faulty = Arc::new(Faulty::new(engine.clone(), fail_from));
        let over: Arc<dyn Engine> = faulty.clone();
        // Nobody waits here: a turn that is taken is asked for again later.
        let options = Options { turn_timeout: Duration::ZERO, ..Options::default() };
        let store = Store::with_engine_options(over, &options);
        let (shared, office) = (Arc::clone(shared), Office::new(store.clone()));
        Self { shared, engine, store, office, faulty, frozen_until: 0, life }
    }
}

/// A request where it is worked on.
struct Placed {
    machine: usize,
    life: u64,
    execution: Execution,
}

#[derive(Default)]
struct Client {
    waiting: VecDeque<Rc<Command>>,
    /// Asked and not answered.
    asked: Option<(Rc<Command>, Option<Placed>)>,
}

/// A history under way, and in the end.
pub(crate) struct World {
    random: Random,
    pub(crate) now: u64,
    pub(crate) shared: Arc<dyn Engine>,
    pub(crate) machines: Vec<Machine>,
    clients: Vec<Client>,
    /// Requests that nobody waits for any more, and whose hosts do not know that.
    orphans: Vec<Placed>,
    pub(crate) books: Books,
    /// By command.
    pub(crate) answers: BTreeMap<usize, Answer>,
}

const HOSTS: usize = 3;
const CLIENTS: usize = 7;
const FIRST_DAY: u64 = 1_706_745_600_000_000;

impl World {
    /// A provider with its tenants, each with its books opened.
    pub(crate) fn new(seed: u64, shared: Arc<dyn Engine>) -> Self {
        let machines = (0..HOSTS).map(|_| Machine::start(&shared, 0, u64::MAX)).collect();
        let mut world = Self {
            random: Random::new(seed ^ 0xface),
            now: FIRST_DAY,
            shared,
            machines,
            clients: Vec::new(),
            orphans: Vec::new(),
            books: Books::default(),
            answers: BTreeMap::new(),
        };
        let release = Release {
            digest: RELEASE.to_owned(),
            plugin: id("plugin"),
            version: "1.0.0".to_owned(),
            description: String::new(),
            wants: Rights::all(),
            imports: Vec::new(),
            size: 1,
            created_at: Instant(world.now),
            functions: Vec::new(),
        };
        drop(world.machines[0].office.create_release("ann", Instant(world.now), release).unwrap());
        let head = world.machines[0].engine.look(TenantNo::PROVIDER).hash;
        let company = |number| Command { index: usize::MAX, tenant: 0, ask: Ask::Company { number, name: 0 } };
        let model = Model::default().committed();
        world.books.add(TenantNo::PROVIDER, Hash::ZERO, head, model, &Rc::new(company(0)));
        for tenant in 1..=TENANTS {
            world.set_up(company(tenant));
            world.set_up(Command { index: usize::MAX, tenant, ask: Ask::Import { set: 0, bad: false } });
            for name in 0..2 {
                let ask = Ask::Install { name, clerk: name == 1, config: 0 };
                world.set_up(Command { index: usize::MAX, tenant, ask });
            }
        }
        world
    }

    fn set_up(&mut self, command: Command) {
        let mut execution = Execution::new(Rc::new(command), self.now);
        loop {
            match execution.step(&self.machines[0], &mut self.books) {
                Came::On => self.write_group(0, usize::MAX, true),
                Came::Told(_) => return,
                Came::Failed => panic!("there is no fault yet"),
            }
        }
    }

    /// Lets everything happen. What is durable is audited a few times on the way, in the middle of whatever is going on: audits are
    /// dear, and most of what is wrong shows in the answers.
    pub(crate) fn run(&mut self, commands: &[Command]) {
        let bound = 500 * commands.len() as u64 + 10_000;
        let part = commands.len() / 4 + 1;
        let mut audited = 0;
        self.clients = (0..CLIENTS).map(|_| Client::default()).collect();
        for command in commands {
            let client = self.random.below(CLIENTS);
            self.clients[client].waiting.push_back(Rc::new(command.clone()));
        }
        let began = self.now;
        while self.clients.iter().any(|client| client.asked.is_some() || !client.waiting.is_empty()) {
            self.now += 1;
            assert!(self.now - began < bound, "the clients get no answers: the history does not end");
            self.chance();
            if self.answers.len() / part > audited {
                audited += 1;
                self.audit();
            }
        }
        for machine in 0..HOSTS {
            self.write_group(machine, usize::MAX, true);
        }
    }

    /// One thing happens.
    fn chance(&mut self) {
        let machine = self.random.below(HOSTS);
        match self.random.below(2_000) {
            0..1_500 => self.client(),
            1_500..1_700 => self.orphan(),
            1_700..1_980 => {
                let count = 1 + self.random.below(4);
                if self.machines[machine].frozen_until <= self.now {
                    self.write_group(machine, count, true);
                }
            }
            1_980..1_984 => self.crash(machine),
            1_984..1_988 => {
                self.machines[machine].frozen_until = self.now + 1 + self.random.below(400) as u64;
                self.books.counts.frozen += 1;
            }
            1_988..1_994 => {
                self.machines[machine].engine.expire_snapshots();
                self.books.counts.expired += 1;
            }
            _ => {
                if self.machines[machine].store.status().failed.is_some() {
                    self.books.counts.faults += 1;
                    self.crash(machine);
                }
            }
        }
    }

    /// A client asks, hears more of what it asked, or gives up and asks somebody else the same.
    fn client(&mut self) {
        let number = self.random.below(CLIENTS);
        let client = &mut self.clients[number];
        let Some((command, placed)) = client.asked.take() else {
            client.asked = client.waiting.pop_front().map(|command| (command, None));
            return;
        };
        let Some(mut placed) = placed else {
            let machine = self.random.below(HOSTS);
            let life = self.machines[machine].life;
            let placed = Placed { machine, life, execution: Execution::new(Rc::clone(&command), self.now) };
            client.asked = Some((command, Some(placed)));
            return;
        };
        let machine = &self.machines[placed.machine];
        let frozen = machine.frozen_until > self.now;
        if machine.life != placed.life || self.random.chance(if frozen { 10 } else { 1 }) {
            self.books.counts.asked_again += 1;
            self.clients[number].asked = Some((command, None));
            self.orphans.push(placed);
            return;
        }
        let came = if frozen { Came::On } else { placed.execution.step(machine, &mut self.books) };
        self.clients[number].asked = match came {
            Came::On => Some((command, Some(placed))),
            Came::Failed => Some((command, None)),
            Came::Told(answer) => {
                self.answers.insert(command.index, answer);
                None
            }
        };
    }

    fn orphan(&mut self) {
        if self.orphans.is_empty() {
            return;
        }
        let number = self.random.below(self.orphans.len());
        let placed = &mut self.orphans[number];
        let machine = &self.machines[placed.machine];
        let over = machine.life != placed.life
            || (machine.frozen_until <= self.now
                && !matches!(placed.execution.step(machine, &mut self.books), Came::On));
        if over {
            self.orphans.swap_remove(number);
        }
    }

    pub(crate) fn write_group(&mut self, machine: usize, count: usize, told: bool) {
        for (at, outcome) in self.machines[machine].engine.write_group(count, told) {
            match outcome {
                Ok(()) => drop(self.books.durable.insert(at)),
                Err(_) => {
                    self.books.counts.conflicts += 1;
                    self.books.lost.insert(at);
                }
            }
            self.books.counts.lost_answers += u64::from(!told);
        }
    }

    /// A host dies: some of what it had queued reaches the database all the same, and nobody is told.
    fn crash(&mut self, machine: usize) {
        self.books.counts.crashes += 1;
        let queued = self.machines[machine].engine.queued();
        let reaches = self.random.below(queued + 1);
        let fail_from = if self.random.chance(30) { 1 + self.random.below(300) as u64 } else { u64::MAX };
        self.restart(machine, reaches, fail_from);
    }

    /// Ends a host, of whose queue the first `reaches` entries get to the database, and starts another one in its place.
    pub(crate) fn restart(&mut self, machine: usize, reaches: usize, fail_from: u64) {
        self.write_group(machine, reaches, false);
        for head in self.machines[machine].engine.crash() {
            self.books.lost.insert(head);
        }
        let life = self.machines[machine].life + 1;
        self.machines[machine] = Machine::start(&self.shared, life, fail_from);
    }
}
