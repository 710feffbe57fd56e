//! A vault in memory that does what it is told: it fails, tears what it is given, and lies.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;

use backroom_store::backup::{Vault, too_large};

/// What becomes of the one put that is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It fails and keeps nothing.
    Fails,
    /// It fails and keeps the first half.
    TearsAndFails,
    /// It says that it is done and keeps the first half.
    TearsAndLies,
    /// It says that it is done and keeps nothing.
    Lies,
    /// It is done, and says that it failed.
    DoneButFails,
}

pub const TROUBLES: [Trouble; 5] =
    [Trouble::Fails, Trouble::TearsAndFails, Trouble::TearsAndLies, Trouble::Lies, Trouble::DoneButFails];

#[derive(Default)]
pub struct SimVault {
    pub objects: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Which put, counted from 1, and what becomes of it.
    pub trouble: Mutex<Option<(u64, Trouble)>>,
    pub puts: Mutex<u64>,
}

impl SimVault {
    pub fn names(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    /// A copy to do harm to.
    pub fn copy(&self) -> Self {
        Self { objects: Mutex::new(self.objects.lock().unwrap().clone()), ..Self::default() }
    }

    pub fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(self.objects.lock().unwrap().get_mut(name).unwrap());
    }
}

impl Vault for SimVault {
    fn shown(&self) -> String {
        "the simulated vault".into()
    }

    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut puts = self.puts.lock().unwrap();
        *puts += 1;
        let trouble = self.trouble.lock().unwrap().filter(|(at, _)| at == &*puts).map(|(_, trouble)| trouble);
        let half = bytes[..bytes.len() / 2].to_vec();
        let keep = match trouble {
            None | Some(Trouble::DoneButFails) => Some(bytes.to_vec()),
            Some(Trouble::TearsAndFails | Trouble::TearsAndLies) => Some(half),
            Some(Trouble::Fails | Trouble::Lies) => None,
        };
        if let Some(keep) = keep {
            self.objects.lock().unwrap().insert(name.into(), keep);
        }
        match trouble {
            Some(Trouble::Fails | Trouble::TearsAndFails | Trouble::DoneButFails) => {
                Err(io::Error::other("fault on purpose"))
            }
            _ => Ok(()),
        }
    }

    fn get(&self, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        match self.objects.lock().unwrap().get(name) {
            Some(bytes) if bytes.len() as u64 > limit => Err(too_large(name, limit)),
            found => Ok(found.cloned()),
        }
    }

    fn list(&self, kind: &str) -> io::Result<Vec<String>> {
        let names = self.names();
        Ok(names.iter().filter_map(|name| name.strip_prefix(kind)?.strip_prefix('/')).map(str::to_owned).collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.objects.lock().unwrap().remove(name);
        Ok(())
    }
}
