//! One history on one host, with one fault: at each engine call in turn, and at each step in turn with what was queued written or lost.
//! Every unit of work is there whole or not at all, what was acknowledged is there, whoever got no answer gets it by asking again, and
//! in the end the books are those of the history without the fault.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use backroom_store::engine::Memory;
use backroom_store::{Store, TenantNo};

use crate::execution::{Came, Execution};
use crate::plan::{self, Ask, Command, Dry};
use crate::world::{Machine, World};

const COMMANDS: usize = 60;

/// What goes wrong, once.
#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    /// This engine call, and every one after it.
    Call(u64),
    /// The host dies before this step; what it had queued is written all the same, or lost.
    Death {
        step: u64,
        written: bool,
    },
}

/// Lives through the commands, one after the other. The books in the end, and how many engine calls and steps that took. The fault
/// strikes, or this fails.
fn life(commands: &[Command], fault: Fault) -> (World, u64, u64) {
    let mut world = World::new(1, Arc::new(Memory::new()));
    let fail_from = if let Fault::Call(call) = fault { call } else { u64::MAX };
    world.machines[0] = Machine::start(&world.shared, 1, fail_from);
    let (mut steps, mut struck) = (0, matches!(fault, Fault::None));
    for command in commands {
        // The time of a request belongs to the request: asked again, it is the same one.
        world.now += 1;
        let command = Rc::new(command.clone());
        let mut execution = Execution::new(Rc::clone(&command), world.now);
        loop {
            steps += 1;
            if let Fault::Death { step, written } = fault
                && step == steps
            {
                let reaches = if written { world.machines[0].engine.queued() } else { 0 };
                world.restart(0, reaches, u64::MAX);
                struck = true;
                whole(&world);
                execution = Execution::new(Rc::clone(&command), world.now);
            }
            match execution.step(&world.machines[0], &mut world.books) {
                // In every second step the group is written: so there is a step before and one after it.
                Came::On if steps % 2 == 0 => world.write_group(0, usize::MAX, true),
                Came::On => {}
                Came::Told(answer) => {
                    world.answers.insert(command.index, answer);
                    break;
                }
                Came::Failed => {
                    assert!(world.machines[0].store.status().failed.is_some(), "a failure without a fault: {command}");
                    world.restart(0, 0, u64::MAX);
                    struck = true;
                    whole(&world);
                    execution = Execution::new(Rc::clone(&command), world.now);
                }
            }
        }
    }
    assert!(struck, "{fault:?} did not strike");
    world.audit_end(commands);
    let calls = world.machines[0].faulty.calls();
    (world, calls, steps)
}

/// Nothing is there by half, right after the fault.
fn whole(world: &World) {
    world.audit();
    let report = Store::with_engine(Arc::clone(&world.shared)).verify(&mut |_| {}).unwrap();
    assert!(report.is_sound(), "{:#?}", report.problems);
}

/// The first history in which every kind of request is asked for.
fn commands() -> Vec<Command> {
    let kind = |command: &Command| match &command.ask {
        Ask::Run(script) => match script.dry {
            Dry::No => "run",
            Dry::Only => "plan",
            Dry::Before => "plan and run",
        },
        Ask::Import { bad: false, .. } => "import",
        Ask::Import { bad: true, .. } => "bad import",
        Ask::Install { .. } => "installation",
        Ask::Company { .. } => "company",
    };
    let has_all = |commands: &Vec<Command>| commands.iter().map(kind).collect::<BTreeSet<_>>().len() == 7;
    (0..).map(|seed| plan::commands(seed, COMMANDS)).find(has_all).unwrap()
}

/// What is in the books, without the chain: an import that was asked for again has two entries in it.
fn contents(world: &World) -> Vec<String> {
    let store = Store::with_engine(Arc::clone(&world.shared));
    let models = (0..=plan::TENANTS).map(|tenant| {
        let tenant = TenantNo(tenant.into());
        world.books.model(tenant, store.head(tenant).unwrap().hash)
    });
    models.map(|model| model.contents()).collect()
}

#[test]
fn each_engine_call_may_fail() {
    let commands = commands();
    let (good, calls, _) = life(&commands, Fault::None);
    let expected = contents(&good);
    assert!(calls > 100, "only {calls} engine calls: little that can fail");
    for call in 1..=calls {
        let (world, ..) = life(&commands, Fault::Call(call));
        assert_eq!(contents(&world), expected, "after a fault at call {call} of {calls}");
    }
}

#[test]
fn the_host_may_die_at_each_step_before_or_after_its_group_is_written() {
    let commands = commands();
    let (good, _, steps) = life(&commands, Fault::None);
    let expected = contents(&good);
    for step in 1..=steps {
        for written in [false, true] {
            let fault = Fault::Death { step, written };
            let (world, ..) = life(&commands, fault);
            assert_eq!(contents(&world), expected, "after {fault:?}");
        }
    }
}
