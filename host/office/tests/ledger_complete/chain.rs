//! The log of what was done: a chain of hashes (L15), the same for the same commands (L17).

use std::ops::ControlFlow;

use backroom_domain::Instant;
use backroom_store::backup::{BackupError, check_file};
use backroom_store::records::Tenant;
use backroom_store::{Hash, Meta, Store, TenantNo};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::books::sequences;
use crate::script::{id, units};
use crate::{compare_all, play, work};

const TENANT: TenantNo = TenantNo(1);
/// The first line of a tenant's file.
const LINE: usize = 18;
const ENTRY: u8 = b'e';
const END: u8 = b'z';

/// A section of a tenant's file: what it is, and what is in it.
type Section = (u8, Vec<u8>);

fn export(store: &Store) -> Vec<u8> {
    let tenant = Tenant { id: id("acme"), name: "Acme".to_owned(), number: TENANT.0, created_at: Instant(1) };
    let mut none = |_: &str| Err("nobody has it".to_owned());
    store.export_tenant(&tenant, Instant(2), Vec::new(), &mut none, &mut |_, _| {}).unwrap().1
}

/// Into a store of its own, which has nothing if it is refused.
fn import(file: &[u8]) -> Result<Store, BackupError> {
    let target = Store::memory();
    let done = check_file(file, &mut |_| Ok(()))
        .and_then(|checked| target.import_tenant(file, &checked, TENANT, Meta::default(), &mut |_, _| {}));
    match done {
        Ok(_) => Ok(target),
        Err(error) => {
            assert_eq!(target.status().sequenced, 0, "{error}");
            Err(error)
        }
    }
}

fn apart(file: &[u8]) -> Vec<Section> {
    let all = zstd::decode_all(&file[LINE..]).unwrap();
    let (mut sections, mut rest) = (Vec::new(), all.as_slice());
    while let Some((head, behind)) = rest.split_first_chunk::<9>() {
        let length = usize::try_from(u64::from_le_bytes(head[1..].try_into().unwrap())).unwrap();
        let (body, behind) = behind.split_at(length);
        sections.push((head[0], body.to_vec()));
        rest = behind;
    }
    sections
}

/// As a forger would: the hash over the whole file is right again.
fn together(first_line: &[u8], sections: &[Section]) -> Vec<u8> {
    let mut all = Vec::new();
    for (kind, body) in sections.iter().filter(|(kind, _)| *kind != END) {
        all.extend(framed(*kind, body));
    }
    let end = format!("{{\"hash\":\"{}\"}}", Hash::of(&all));
    all.extend(framed(END, end.as_bytes()));
    [first_line, &zstd::encode_all(all.as_slice(), 1).unwrap()].concat()
}

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &u64::try_from(body.len()).unwrap().to_le_bytes(), body].concat()
}

/// What a forger does to the entries.
#[derive(Debug, Clone)]
enum Forgery {
    Flip { entry: Index, byte: Index, bit: u8 },
    Swap(Index),
    Drop(Index),
    Repeat(Index),
}

fn forgery() -> impl Strategy<Value = Forgery> {
    prop_oneof![
        3 => (any::<Index>(), any::<Index>(), 0..8_u8).prop_map(|(entry, byte, bit)| Forgery::Flip { entry, byte, bit }),
        1 => any::<Index>().prop_map(Forgery::Swap),
        1 => any::<Index>().prop_map(Forgery::Drop),
        1 => any::<Index>().prop_map(Forgery::Repeat),
    ]
}

fn forge(sections: &mut Vec<Section>, forgery: &Forgery) {
    let entries: Vec<usize> = (0..sections.len()).filter(|at| sections[*at].0 == ENTRY).collect();
    match forgery {
        Forgery::Flip { entry, byte, bit } => {
            let body = &mut sections[*entry.get(&entries)].1;
            let at = byte.index(body.len());
            body[at] ^= 1 << bit;
        }
        Forgery::Swap(which) => {
            let at = *which.get(&entries);
            let other = if at == entries[0] { *entries.last().unwrap() } else { entries[0] };
            sections.swap(at, other);
        }
        Forgery::Drop(which) => drop(sections.remove(*which.get(&entries))),
        Forgery::Repeat(which) => {
            let at = *which.get(&entries);
            sections.insert(at, sections[at].clone());
        }
    }
}

proptest! {
    #![proptest_config(sequences())]

    #[test]
    fn a_log_is_a_chain_and_a_forged_one_is_refused(units in units(), forgery in forgery()) {
        let (store, model) = play(&units, false)?;
        let file = export(&store);
        let mut sections = apart(&file);
        // Every entry names the hash of the one before it, which is that of what is in the file.
        let mut chain = Vec::new();
        store.entries(1, &mut |entry| {
            chain.push((entry.number, entry.prev, entry.hash));
            ControlFlow::Continue(())
        }).unwrap();
        let bodies: Vec<_> = sections.iter().filter(|(kind, _)| *kind == ENTRY).map(|(_, body)| body).collect();
        prop_assert_eq!(chain.len(), bodies.len());
        let mut before = Hash::ZERO;
        for (n, ((number, prev, hash), body)) in chain.into_iter().zip(bodies).enumerate() {
            prop_assert_eq!((number, prev, hash), (n as u64 + 1, before, Hash::of(body)));
            before = hash;
        }
        // What is taken along is all there again.
        compare_all(&work(&import(&file).unwrap(), &model), &model)?;
        prop_assert!(import(&together(&file[..LINE], &sections)).is_ok(), "the file can be put together");
        let (genuine, forged) = (sections.clone(), { forge(&mut sections, &forgery); sections });
        // A chain of one entry cannot be swapped.
        if forged != genuine {
            prop_assert!(import(&together(&file[..LINE], &forged)).is_err(), "{:?}", forgery);
        }
    }

    #[test]
    fn the_same_commands_give_the_same_bytes(units in units()) {
        let (first, _) = play(&units, false)?;
        let (second, _) = play(&units, false)?;
        prop_assert_eq!(first.head(TENANT).unwrap(), second.head(TENANT).unwrap());
        prop_assert_eq!(apart(&export(&first)), apart(&export(&second)));
    }
}
