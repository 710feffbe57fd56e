//! How rights are stored.
//!
//! Before there were lists of grants, rights were an array of five: ledger, hr, inventory, administer, state. Rights that this can
//! say are still written so, byte for byte. Others are written as five times nothing, and the grants as the sixth: a host
//! of the release before reads that as no rights at all, and never as wider ones.

use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

use super::{Grant, HrRights, InventoryRights, LedgerRights, Rights};

/// The first five, and the grants.
const FIELDS: u64 = 6;

impl<C> Encode<C> for Rights {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), EncodeError<W::Error>> {
        let nothing = Grant::default();
        let plain = match self.grants() {
            [] => Some(&nothing),
            [one] if is_plain(one) => Some(one),
            _ => None,
        };
        let Grant { ledger, hr, inventory, administer, state, .. } = plain.unwrap_or(&nothing);
        e.array(FIELDS.saturating_sub(u64::from(plain.is_some())))?;
        ledger.encode(e, ctx)?;
        hr.encode(e, ctx)?;
        inventory.encode(e, ctx)?;
        e.bool(*administer)?.bool(*state)?;
        if plain.is_none() {
            self.grants().encode(e, ctx)?;
        }
        Ok(())
    }
}

/// Could the five fields say it? What is new in a kind counts as well: an old host would pass over a field that narrows.
fn is_plain(grant: &Grant) -> bool {
    let Grant { ledger, hr, inventory, administer, state, .. } = grant;
    let ledger = LedgerRights {
        read: ledger.read.clone(),
        post: ledger.post.clone(),
        max_entry: ledger.max_entry,
        ..LedgerRights::default()
    };
    let typed = ledger.read.iter().chain(&ledger.post).any(|set| set.kind.is_some());
    let hr = HrRights {
        read: hr.read.clone(),
        benefits: hr.benefits.clone(),
        max_benefit: hr.max_benefit,
        ..HrRights::default()
    };
    let inventory = InventoryRights {
        read: inventory.read.clone(),
        move_items: inventory.move_items.clone(),
        move_from: inventory.move_from.clone(),
        move_to: inventory.move_to.clone(),
        ..InventoryRights::default()
    };
    !typed && *grant == Grant { ledger, hr, inventory, administer: *administer, state: *state, ..Grant::default() }
}

impl<'b, C> Decode<'b, C> for Rights {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, DecodeError> {
        let fields = d.array()?.ok_or_else(|| DecodeError::message("rights are an array of a known length"))?;
        if fields < FIELDS.saturating_sub(1) {
            return Err(DecodeError::message("rights have at least five fields"));
        }
        let plain = Grant {
            ledger: Decode::decode(d, ctx)?,
            hr: Decode::decode(d, ctx)?,
            inventory: Decode::decode(d, ctx)?,
            administer: d.bool()?,
            state: d.bool()?,
            ..Grant::default()
        };
        let mut grants: Vec<Grant> = if plain == Grant::default() { Vec::new() } else { vec![plain] };
        if fields >= FIELDS {
            grants.extend(Vec::<Grant>::decode(d, ctx)?);
        }
        // What a newer release adds.
        (FIELDS..fields).try_for_each(|_| d.skip())?;
        Ok(Self::from(grants))
    }
}
