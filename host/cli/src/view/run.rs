//! A run for people: how it ended, what it did, what it cost.

use serde::Deserialize;
use serde_json::Value;

use super::effects::Effects;
use crate::exit::{Failure, Reason, Result};
use crate::figures::{count, counted};
use crate::output::{Out, text_of};

/// A run as the service tells it; fields that it leaves out are empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Run {
    pub(crate) id: Option<String>,
    pub(crate) installation: String,
    /// `planned` for a dry run; else `committed`, `refused` or `failed`.
    pub(crate) status: String,
    pub(crate) date: Option<String>,
    /// Its place in the tenant's commit log.
    pub(crate) number: Option<u64>,
    pub(crate) replayed: bool,
    /// The host that has it under way.
    pub(crate) host: Option<String>,
    pub(crate) fuel: u64,
    pub(crate) host_calls: u64,
    /// What the plugin returned.
    pub(crate) output: Value,
    pub(crate) error: Option<Value>,
    pub(crate) fault: Option<Value>,
    pub(crate) log: Vec<Value>,
    pub(crate) log_dropped: u64,
    pub(crate) effects: Vec<Value>,
    /// Requests to the outside.
    pub(crate) calls: Vec<Value>,
}

impl Run {
    /// Does it wait, or is it under way?
    pub(crate) fn waits(&self) -> bool {
        matches!(self.status.as_str(), "queued" | "running")
    }

    /// Did it return ok?
    pub(crate) fn is_ok(&self) -> bool {
        self.error.is_none() && self.fault.is_none() && !matches!(self.status.as_str(), "refused" | "failed")
    }

    /// Shows all of it.
    pub(crate) fn show(&self, out: Out) {
        self.show_with(out, true);
    }

    /// Shows all of it but why it was refused or failed, which is shown by itself.
    pub(crate) fn show_attempt(&self, out: Out) {
        self.show_with(out, false);
    }

    fn show_with(&self, out: Out, reasons: bool) {
        if self.waits() {
            let id = self.id.as_deref().unwrap_or_default();
            let by = self.host.as_ref().map(|host| format!(" by {host}")).unwrap_or_default();
            out.line(format_args!(
                "{id} is {}{by}; `backroom runs show {id}` with the tenant tells what comes of it",
                self.status
            ));
            return;
        }
        let effects = Effects::of(&self.effects);
        let head = match self.status.as_str() {
            "committed" if self.replayed => "Committed before; this is its record",
            "committed" => "Committed",
            "refused" if self.replayed => "Refused before; this is its record, and a new try needs a new id",
            "failed" if self.replayed => "Failed before; this is its record, and a new try needs a new id",
            "refused" => "Refused; nothing was kept",
            "failed" => "Failed; nothing was kept",
            _ if self.is_ok() => "Plan of a dry run; nothing was kept",
            _ => "Dry run failed; nothing would be kept",
        };
        out.line(format_args!("{head}: {}", effects.counts()));
        out.line("");
        effects.show(out);
        if reasons {
            self.show_reasons(out);
        }
        for call in &self.calls {
            let part = |name: &str| call.get(name).map(text_of).unwrap_or_default();
            out.line(format_args!("sent    {} {} {}{}", part("method"), part("url"), part("status"), part("code")));
        }
        if !self.output.is_null() {
            out.line(format_args!("output  {}", shortened(&self.output.to_string())));
        }
        for line in &self.log {
            let part = |name: &str| line.get(name).map(text_of).unwrap_or_default();
            out.line(format_args!("log     {} {}", part("level"), part("message")));
        }
        if self.log_dropped > 0 {
            out.line(format_args!("log     {} dropped", counted(self.log_dropped, "more line was", "more lines were")));
        }
        let known = [
            ("run", self.id.clone()),
            ("installation", Some(self.installation.clone()).filter(|name| !name.is_empty())),
            ("date", self.date.clone()),
            ("log entry", self.number.map(count)),
            ("fuel", Some(count(self.fuel))),
            ("host calls", Some(count(self.host_calls))),
        ];
        let known = known.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
        out.line(known.collect::<Vec<_>>().join(" · "));
    }

    fn show_reasons(&self, out: Out) {
        if let Some(fault) = &self.fault {
            let part = |name: &str| fault.get(name).map(text_of).unwrap_or_default();
            out.line(format_args!("fault   {}: {}", part("kind"), part("message")));
        }
        if let Some(error) = &self.error {
            let class = error.get("class").map(text_of).unwrap_or_default();
            for reason in reasons(error) {
                let field = reason.field.map(|field| format!("{field}: ")).unwrap_or_default();
                out.line(format_args!("error   {class}: {field}{} ({})", reason.message, reason.code));
            }
        }
    }

    /// A failure unless it returned ok.
    pub(crate) fn check(&self) -> Result {
        match self.is_ok() {
            true => Ok(()),
            false => Err(Failure::Check("the run was not committed; see the reasons above".to_owned())),
        }
    }
}

/// An output can have a mebibyte.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 240;
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} ... (--json shows all of it)", text.get(..end).unwrap_or_default()),
    }
}

fn reasons(error: &Value) -> Vec<Reason> {
    let list = error.get("problems").or_else(|| error.get("errors")).cloned();
    let list: Vec<Reason> = list.and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default();
    if !list.is_empty() {
        return list;
    }
    vec![Reason { message: text_of(error), code: "unknown".to_owned(), ..Reason::default() }]
}
