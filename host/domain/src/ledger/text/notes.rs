//! What entries and lines have beside their amounts, as names and texts.

use crate::ledger::{Entry, EntryDetails, Line, LineDetails};

/// Of an entry, without its id, its number and the moment of its recording. Metadata has `meta-` in front of its name.
pub(super) fn notes_of_entry(entry: &Entry) -> Vec<(String, String)> {
    let mut notes = Vec::new();
    let mut note = |name: &str, value: Option<String>| notes.extend(value.map(|value| (name.to_owned(), value)));
    let text = |id: &Option<crate::Id>| id.as_ref().map(ToString::to_string);
    note("run", text(&entry.run));
    note("book", text(&entry.book));
    note("reverses", text(&entry.reverses));
    note("reversed-by", text(&entry.reversed_by));
    note("settles", text(&entry.settles));
    if let Some(details) = &entry.new.details {
        let EntryDetails { reference, kind, source_document, metadata, guards: _ } = details.as_ref();
        note("reference", reference.clone());
        note("kind", text(kind));
        note("source-document", text(source_document));
        notes.extend(metadata.iter().map(|own| (format!("meta-{}", own.name), own.value.clone())));
    }
    notes
}

/// Of a line, without its dimensions and its memo.
pub(super) fn notes_of_line(line: &Line) -> Vec<(&'static str, String)> {
    let Some(details) = &line.details else { return Vec::new() };
    let LineDetails { rate, party, due, item, base: _, made: _ } = details.as_ref();
    let notes = [
        ("rate", rate.map(|rate| rate.to_string())),
        ("party", party.as_ref().map(ToString::to_string)),
        ("due", due.map(|due| due.to_string())),
        ("item", item.as_ref().map(ToString::to_string)),
    ];
    notes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
