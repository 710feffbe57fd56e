//! Rights for people: in words, wanted beside granted, and what does not agree.

use backroom_domain::rights::{Beyond, Change, Rights, in_words};
use backroom_runtime::RightsReport;

use crate::output::Out;

/// Says what they allow, a grant each with its reason.
pub(crate) fn words(out: Out, title: &str, rights: &Rights) {
    if rights.grants().is_empty() {
        out.line(format_args!("{title}: nothing."));
        return;
    }
    out.line(format_args!("{title}:"));
    for (grant, words) in rights.grants().iter().zip(in_words(rights)) {
        let why = words.why.unwrap_or_else(|| "(no reason is given)".to_owned());
        let owner = grant.owner.as_ref().map_or_else(String::new, |owner| format!("  [{owner}]"));
        out.line(format_args!("  {why}{owner}"));
        words.allows.iter().for_each(|sentence| out.line(format_args!("    - {sentence}")));
    }
}

/// Says what wants, grants and imports do not agree on, and what is new. Nothing if all is well.
pub(crate) fn report(out: Out, report: &RightsReport) {
    let RightsReport { missing, beyond, imports, change } = report;
    lines(out, "Wanted and not granted (calls that need it are denied)", missing);
    lines(out, "WARNING: granted beyond what the plugin wants", &texts(beyond));
    lines(out, "Wanted and not used by the component", &imports.wanted_not_used);
    // Some languages bring all interfaces along: not worth a line each.
    if !imports.used_not_wanted.is_empty() {
        let names = imports.used_not_wanted.join(", ");
        out.line(format_args!("Imported by the component and not wanted (denied if it is called): {names}"));
    }
    if let Some(Change { added, wider, narrower, gone }) = change {
        lines(out, "Against the release before, newly wanted", &texts(added));
        lines(out, "Against the release before, wanted more of", &texts(wider));
        lines(out, "Against the release before, wanted less of", &texts(narrower));
        lines(out, "Against the release before, not wanted any more", &texts(gone));
    }
}

/// Says which grants are over.
pub(crate) fn expired(out: Out, expired: &[String]) {
    lines(out, "WARNING: these grants have expired, and nothing is allowed by them", expired);
}

fn texts(lines: &[Beyond]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

fn lines(out: Out, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        out.line(format_args!("{title}:"));
        lines.iter().for_each(|line| out.line(format_args!("  {line}")));
    }
}
