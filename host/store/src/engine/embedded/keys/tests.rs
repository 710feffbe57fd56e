use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

const ACME: TenantNo = TenantNo(1);

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn key(seed: u8) -> PersonKey {
    PersonKey::from_bytes(&[seed; 32])
}

/// A disk in memory that stops at a step, and of which only what was synced is left after a power cut.
#[derive(Default)]
struct TestDisk {
    files: Mutex<BTreeMap<String, TestFile>>,
    /// Steps (writes and syncs) until it stops; 0 never.
    stop_at: AtomicU64,
    steps: AtomicU64,
    /// What the failing write still does: so many bytes of it.
    torn: AtomicU64,
}

#[derive(Default, Clone)]
struct TestFile {
    now: Vec<u8>,
    synced: Vec<u8>,
    named: bool,
}

impl TestDisk {
    fn step(&self) -> io::Result<()> {
        let step = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        let stop = self.stop_at.load(Ordering::SeqCst);
        if stop != 0 && step >= stop { Err(io::Error::other("stopped on purpose")) } else { Ok(()) }
    }

    fn stop_after(&self, steps: u64) {
        self.stop_at.store(self.steps.load(Ordering::SeqCst) + steps + 1, Ordering::SeqCst);
    }

    /// The disk as a power cut leaves it. `lucky`: what was not synced happened to get there.
    fn after_power_cut(&self, lucky: bool) -> Arc<Self> {
        let files = self.files.lock().clone().into_iter().filter(|(_, file)| lucky || file.named);
        let files = files.map(|(name, file)| {
            let bytes = if lucky { file.now } else { file.synced };
            (name, TestFile { now: bytes.clone(), synced: bytes, named: true })
        });
        Arc::new(Self { files: Mutex::new(files.collect()), ..Self::default() })
    }

    fn holds(&self, bytes: &[u8]) -> bool {
        self.files.lock().values().any(|file| file.now.windows(bytes.len()).any(|window| window == bytes))
    }
}

impl KeyDisk for TestDisk {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files.lock().get(name).map(|file| file.now.clone()))
    }

    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let stepped = self.step();
        let torn = usize::try_from(self.torn.load(Ordering::SeqCst)).unwrap();
        let bytes = if stepped.is_ok() { bytes } else { &bytes[..torn.min(bytes.len())] };
        let mut files = self.files.lock();
        let file = files.entry(name.to_owned()).or_default();
        let (offset, end) = (usize::try_from(offset).unwrap(), usize::try_from(offset).unwrap() + bytes.len());
        file.now.resize(file.now.len().max(end), 0);
        file.now[offset..end].copy_from_slice(bytes);
        stepped
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.step()?;
        let mut files = self.files.lock();
        let file = files.get_mut(name).unwrap();
        file.synced = file.now.clone();
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        self.step()?;
        self.files.lock().values_mut().for_each(|file| file.named = true);
        Ok(())
    }
}

fn open(disk: &Arc<TestDisk>) -> FileKeyring {
    FileKeyring::open(Arc::<TestDisk>::clone(disk), None).unwrap()
}

fn state(keyring: &FileKeyring, person: &str) -> String {
    match keyring.get(ACME, &id(person)) {
        Ok(KeyState::Key(key)) => format!("key {}", key.bytes()[0]),
        Ok(other) => format!("{other:?}").to_lowercase(),
        Err(StoreError::Corrupt { .. }) => "damaged".to_owned(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn keys_are_there_after_a_power_cut_and_destroyed_ones_are_not() {
    let disk = Arc::new(TestDisk::default());
    let keyring = open(&disk);
    keyring.keep(ACME, &[(id("W-1"), key(1)), (id("W-2"), key(2))]).unwrap();
    keyring.keep(ACME, &[(id("W-3"), key(3))]).unwrap();
    keyring.destroy(ACME, &id("W-2")).unwrap();
    keyring.destroy(ACME, &id("W-9")).unwrap();
    for keyring in [keyring, open(&disk.after_power_cut(false)), open(&disk.after_power_cut(true))] {
        let states = ["W-1", "W-2", "W-3", "W-4", "W-9"].map(|person| state(&keyring, person));
        assert_eq!(states, ["key 1", "destroyed", "key 3", "absent", "destroyed"]);
        assert!(matches!(keyring.get(TenantNo(2), &id("W-1")), Ok(KeyState::Absent)));
        for person in ["W-1", "W-2", "W-9"] {
            assert!(matches!(keyring.keep(ACME, &[(id(person), key(9))]), Err(StoreError::Conflict)));
        }
    }
    assert!(disk.holds(&[1; 32]) && !disk.holds(&[2; 32]), "the bytes of a destroyed key are overwritten");
}

/// Stops before each step of keeping new keys, with each kind of luck, and half way through each write.
#[test]
fn a_crash_at_any_step_of_keeping_loses_no_key_that_was_relied_on() {
    for (before, steps) in [(false, 4), (true, 2)] {
        for (stop, torn, lucky) in (0..steps).flat_map(|s| [(s, 0, false), (s, 0, true), (s, 300, true), (s, 7, true)])
        {
            let disk = Arc::new(TestDisk::default());
            let keyring = open(&disk);
            if before {
                keyring.keep(ACME, &[(id("W-1"), key(1))]).unwrap();
            }
            disk.torn.store(torn, Ordering::SeqCst);
            disk.stop_after(stop);
            let kept = keyring.keep(ACME, &[(id("W-2"), key(2)), (id("W-3"), key(3))]);
            assert!(matches!(kept, Err(StoreError::Io { .. })), "stop {stop} of {steps}: {kept:?}");
            let disk = disk.after_power_cut(lucky);
            let keyring = open(&disk);
            assert_eq!(state(&keyring, "W-1"), if before { "key 1" } else { "absent" }, "stop {stop}");
            // Nothing relied on the others: each is there whole or not at all, and the next one to come is sound.
            for (person, seed) in [("W-2", 2), ("W-3", 3)] {
                let found = state(&keyring, person);
                assert!(found == "absent" || found == format!("key {seed}") || found == "damaged", "{found}");
                if found == "absent" {
                    keyring.keep(ACME, &[(id(person), key(seed))]).unwrap();
                }
            }
            keyring.keep(ACME, &[(id("W-4"), key(4))]).unwrap();
            let keyring = open(&disk.after_power_cut(false));
            assert_eq!(state(&keyring, "W-4"), "key 4");
            assert_eq!(state(&keyring, "W-1"), if before { "key 1" } else { "absent" });
        }
    }
}

/// Stops before each step of destroying, and half way through the overwriting: the key is there, or it is gone, and destroying it
/// again (which opening does) ends it. Its neighbours stay.
#[test]
fn a_crash_at_any_step_of_destroying_is_healed_by_doing_it_again() {
    for (stop, torn, lucky) in (0..2).flat_map(|s| [(s, 0, false), (s, 0, true), (s, 20, true), (s, 50, true)]) {
        let disk = Arc::new(TestDisk::default());
        let keyring = open(&disk);
        keyring.keep(ACME, &[(id("W-1"), key(1)), (id("W-2"), key(2)), (id("W-3"), key(3))]).unwrap();
        disk.torn.store(torn, Ordering::SeqCst);
        disk.stop_after(stop);
        assert!(matches!(keyring.destroy(ACME, &id("W-2")), Err(StoreError::Io { .. })), "stop {stop}");
        let disk = disk.after_power_cut(lucky);
        let keyring = open(&disk);
        let found = state(&keyring, "W-2");
        assert!(["key 2", "destroyed", "damaged"].contains(&found.as_str()), "{found}");
        keyring.destroy(ACME, &id("W-2")).unwrap();
        let keyring = open(&disk.after_power_cut(false));
        assert_eq!(["W-1", "W-2", "W-3"].map(|person| state(&keyring, person)), ["key 1", "destroyed", "key 3"]);
        assert!(!disk.holds(&[2; 32]));
    }
}

/// After a failed sync the keys may be readable and not on disk. Whoever relies on them next brings them there.
#[test]
fn what_a_failed_sync_left_in_memory_is_written_again_before_it_is_relied_on() {
    let disk = Arc::new(TestDisk::default());
    let keyring = open(&disk);
    disk.stop_after(2);
    keyring.keep(ACME, &[(id("W-1"), key(1))]).unwrap_err();
    disk.stop_at.store(0, Ordering::SeqCst);
    // The process goes on or is started again; the machine has not lost power.
    assert_eq!(state(&keyring, "W-1"), "key 1");
    assert_eq!(state(&open(&disk.after_power_cut(false)), "W-1"), "absent", "the test is one");
    keyring.keep(ACME, &[]).unwrap();
    assert_eq!(state(&open(&disk.after_power_cut(false)), "W-1"), "key 1");
    let steps = disk.steps.load(Ordering::SeqCst);
    keyring.keep(ACME, &[]).unwrap();
    assert_eq!(disk.steps.load(Ordering::SeqCst), steps, "once is enough");
}

#[test]
fn damage_is_no_erasure() {
    let disk = Arc::new(TestDisk::default());
    open(&disk).keep(ACME, &[(id("W-1"), key(1)), (id("W-2"), key(2))]).unwrap();
    let whole = disk.files.lock()["1.keys"].now.clone();
    for at in 0..whole.len() {
        let changed = disk.after_power_cut(true);
        changed.files.lock().get_mut("1.keys").unwrap().now[at] ^= 0x10;
        let keyring = open(&changed);
        let slot_of = at / SLOT;
        for (slot, person, good) in [(1, "W-1", "key 1"), (2, "W-2", "key 2")] {
            let found = match keyring.get(ACME, &id(person)) {
                Err(StoreError::Corrupt { .. }) => "damaged".to_owned(),
                _ => state(&keyring, person),
            };
            match slot_of {
                0 => assert!(found == "damaged", "byte {at}: {found}"),
                hit if hit == slot => assert!(found == "damaged" || found == "absent", "byte {at}: {found}"),
                _ => assert_eq!(found, good, "byte {at}"),
            }
        }
    }
    // The file of another tenant.
    let files = whole;
    let moved = Arc::new(TestDisk::default());
    moved.files.lock().insert("2.keys".to_owned(), TestFile { now: files, ..TestFile::default() });
    assert!(matches!(open(&moved).get(TenantNo(2), &id("W-1")), Err(StoreError::Corrupt { .. })));
}

#[test]
fn a_master_key_wraps_what_is_kept_and_what_was_there_before() {
    let disk = Arc::new(TestDisk::default());
    open(&disk).keep(ACME, &[(id("W-1"), key(1)), (id("W-2"), key(2))]).unwrap();
    open(&disk).destroy(ACME, &id("W-2")).unwrap();
    let master = MasterKey::parse(&"5a".repeat(32)).unwrap();
    let with = |master: &MasterKey| FileKeyring::open(Arc::<TestDisk>::clone(&disk), Some(master.clone()));
    let keyring = with(&master).unwrap();
    keyring.keep(ACME, &[(id("W-3"), key(3))]).unwrap();
    for keyring in [keyring, with(&master).unwrap()] {
        assert_eq!(["W-1", "W-2", "W-3"].map(|person| state(&keyring, person)), ["key 1", "destroyed", "key 3"]);
    }
    assert!(!disk.holds(&[1; 32]) && !disk.holds(&[3; 32]), "no key is readable");
    let refused =
        [FileKeyring::open(Arc::<TestDisk>::clone(&disk), None), with(&MasterKey::parse(&"5b".repeat(32)).unwrap())];
    assert!(refused.iter().all(|opened| matches!(opened, Err(StoreError::Corrupt { .. }))));
    with(&master).unwrap().destroy(ACME, &id("W-1")).unwrap();
    assert_eq!(state(&with(&master).unwrap(), "W-1"), "destroyed");
    // A wrapped key in the place of another.
    disk.files.lock().get_mut("1.keys").unwrap().now.copy_within(4 * SLOT + KEY..5 * SLOT, 3 * SLOT + KEY);
    assert_eq!(state(&with(&master).unwrap(), "W-1"), "damaged");
}

/// Stops at each step of wrapping keys that were plain.
#[test]
fn a_crash_while_wrapping_loses_no_key() {
    let master = MasterKey::parse(&"5a".repeat(32)).unwrap();
    let mut stopped = 0;
    for (stop, lucky) in (0..20).flat_map(|stop| [(stop, false), (stop, true)]) {
        let disk = Arc::new(TestDisk::default());
        open(&disk).keep(ACME, &[(id("W-1"), key(1)), (id("W-2"), key(2))]).unwrap();
        disk.torn.store(100, Ordering::SeqCst);
        disk.stop_after(stop);
        let opened = FileKeyring::open(Arc::<TestDisk>::clone(&disk), Some(master.clone()));
        let outcome = opened.and_then(|keyring| keyring.get(ACME, &id("W-1")));
        stopped += u32::from(outcome.is_err());
        let disk = disk.after_power_cut(lucky);
        let keyring = FileKeyring::open(Arc::<TestDisk>::clone(&disk), Some(master.clone())).unwrap();
        assert_eq!(["W-1", "W-2"].map(|person| state(&keyring, person)), ["key 1", "key 2"], "stop {stop}");
        assert!(!disk.holds(&[1; 32]) && !disk.holds(&[2; 32]), "stop {stop}");
        keyring.destroy(ACME, &id("W-1")).unwrap();
        let again = FileKeyring::open(disk.after_power_cut(false), Some(master.clone())).unwrap();
        assert_eq!(["W-1", "W-2"].map(|person| state(&again, person)), ["destroyed", "key 2"], "stop {stop}");
    }
    assert!(stopped > 8, "{stopped}");
}

#[test]
fn keys_that_are_not_in_use_make_room_and_come_back() {
    let disk = Arc::new(TestDisk::default());
    let keyring = open(&disk);
    let people: Vec<_> = (0..MAX_KEYS / 2).map(|n| (id(&format!("W-{n}")), key(1))).collect();
    for tenant in 1..=4 {
        keyring.keep(TenantNo(tenant), &people).unwrap();
        keyring.files.write().remove(&TenantNo(tenant));
    }
    for tenant in 1..=4 {
        assert!(matches!(keyring.get(TenantNo(tenant), &id("W-0")), Ok(KeyState::Key(_))));
        let held: usize = keyring.files.read().values().map(|file| file.held.read().len()).sum();
        assert!(held <= MAX_KEYS, "{held}");
    }
}
