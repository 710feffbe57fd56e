//! `{{secret:NAME}}`: found, filled in on the way out, and put back in what comes in.

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::{Error, Id, Problem, Result};
use backroom_office::Work;
use backroom_office::calls::Request;
use zeroize::Zeroizing;

const BEGIN: &[u8] = b"{{secret:";
const END: &[u8] = b"}}";

/// Secrets by name.
pub(super) type Revealed = BTreeMap<Id, Zeroizing<Vec<u8>>>;

/// The secrets that a request names, in values of headers and in the body. In names and in the address there are none: both are
/// written to logs on the other side.
pub(super) fn named(request: &Request, problems: &mut Vec<Problem>) -> BTreeSet<Id> {
    let mut found = BTreeSet::new();
    let mut look = |text: &[u8], field: &str| {
        for part in parts(text) {
            let Part::Secret(name) = part else { continue };
            match std::str::from_utf8(name).ok().and_then(|name| Id::parse(name, field).ok()) {
                Some(name) => drop(found.insert(name)),
                None => problems.push(Error::problem("header-invalid", field, "{{secret:NAME}} names no secret")),
            }
        }
    };
    for (at, (_, value)) in request.headers.iter().enumerate() {
        look(value.as_bytes(), &format!("headers[{at}]"));
    }
    look(&request.body, "body");
    found
}

/// The secrets as they are now. Errors: `secret-unknown`.
pub(super) fn reveal(work: &Work, names: &BTreeSet<Id>) -> std::result::Result<Revealed, backroom_office::Failure> {
    names.iter().map(|name| Ok((name.clone(), backroom_office::secrets::reveal(work, name)?))).collect()
}

/// Every secret of the client that can be read: none of them is for a plugin, wherever it comes back from.
pub(super) fn all(work: &Work) -> std::result::Result<Revealed, backroom_office::Failure> {
    let mut revealed = Revealed::new();
    for name in backroom_office::secrets::names(work)? {
        match backroom_office::secrets::reveal(work, &name) {
            Ok(secret) => drop(revealed.insert(name, secret)),
            Err(backroom_office::Failure::Business(_)) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(revealed)
}

/// The text with its secrets in it. Errors: `body-invalid` if it becomes longer than `limit`: a placeholder is short, and what it
/// stands for may be long.
pub(super) fn fill(text: &[u8], secrets: &Revealed, limit: usize) -> Result<Zeroizing<Vec<u8>>> {
    let mut filled = Zeroizing::new(Vec::with_capacity(text.len()));
    for part in parts(text) {
        let bytes = match part {
            Part::Plain(bytes) => bytes,
            Part::Secret(name) => {
                let name = std::str::from_utf8(name).unwrap_or_default();
                secrets.get(name).ok_or_else(|| Error::not_found("secret", name))?
            }
        };
        if filled.len().saturating_add(bytes.len()) > limit {
            return Err(Error::invalid(
                "body-invalid",
                "body",
                format!("with its secrets it has more than {limit} bytes"),
            ));
        }
        filled.extend_from_slice(bytes);
    }
    Ok(filled)
}

/// Does it name a secret?
pub(super) fn has(text: &[u8]) -> bool {
    parts(text).any(|part| matches!(part, Part::Secret(_)))
}

/// What came in, with every secret replaced by its placeholder; none if that makes it longer than `limit`. One pass: what was put in
/// is not looked into again, and of secrets that begin at the same place the longest one counts.
pub(super) fn mask(text: &[u8], secrets: &Revealed, limit: usize) -> Option<Vec<u8>> {
    let mut hits: Vec<(usize, usize, &Id)> = Vec::new();
    for (name, secret) in secrets.iter().filter(|(_, secret)| !secret.is_empty()) {
        hits.extend(memchr::memmem::find_iter(text, secret.as_slice()).map(|at| (at, secret.len(), name)));
    }
    hits.sort_by_key(|(at, length, _)| (*at, std::cmp::Reverse(*length)));
    let mut out = Vec::with_capacity(text.len().min(limit));
    let mut done = 0;
    for (at, length, name) in hits {
        let end = at + length;
        if at < done {
            // What reaches beyond the one before is part of a secret as well.
            done = done.max(end);
            continue;
        }
        out.extend_from_slice(text.get(done..at)?);
        for part in [BEGIN, name.as_str().as_bytes(), END] {
            out.extend_from_slice(part);
        }
        if out.len() > limit {
            return None;
        }
        done = end;
    }
    out.extend_from_slice(text.get(done..)?);
    (out.len() <= limit).then_some(out)
}

enum Part<'t> {
    Plain(&'t [u8]),
    Secret(&'t [u8]),
}

/// The text in parts; a placeholder without an end is plain text.
fn parts(text: &[u8]) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    let mut next = None;
    std::iter::from_fn(move || {
        if let Some(name) = next.take() {
            return Some(Part::Secret(name));
        }
        if rest.is_empty() {
            return None;
        }
        let begin = find(rest, BEGIN);
        let placed = begin.and_then(|begin| {
            let behind = rest.get(begin + BEGIN.len()..)?;
            let end = find(behind, END)?;
            Some((rest.get(..begin)?, behind.get(..end)?, behind.get(end + END.len()..)?))
        });
        let Some((before, name, behind)) = placed else { return Some(Part::Plain(std::mem::take(&mut rest))) };
        rest = behind;
        next = Some(name);
        Some(Part::Plain(before))
    })
}

/// Where `what` begins. A first byte that is rare makes this as fast as it needs to be for 1 MiB.
fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Revealed {
        let secret =
            |name: &str, text: &str| (Id::parse(name, "id").unwrap(), Zeroizing::new(text.as_bytes().to_vec()));
        [secret("bank", "s3cr3t-token"), secret("other", "0123456789")].into()
    }

    #[test]
    fn placeholders_are_filled_and_put_back() {
        let rows = [
            ("", ""),
            ("plain", "plain"),
            ("Bearer {{secret:bank}}", "Bearer s3cr3t-token"),
            ("{{secret:bank}}{{secret:other}}x{{secret:bank}}", "s3cr3t-token0123456789xs3cr3t-token"),
            ("{{secret:bank}", "{{secret:bank}"),
            ("{{secret:", "{{secret:"),
            ("}}{{secret:bank}}}}", "}}s3cr3t-token}}"),
        ];
        for (text, filled) in rows {
            let out = fill(text.as_bytes(), &secrets(), 100).unwrap();
            assert_eq!(out.as_slice(), filled.as_bytes(), "{text}");
            assert_eq!(mask(&out, &secrets(), 100).unwrap(), text.as_bytes(), "{text}");
        }
        assert!(fill(b"{{secret:none}}", &secrets(), 100).is_err());
        assert_eq!(fill(b"{{secret:bank}}", &secrets(), 11).unwrap_err().code(), "body-invalid");
        assert_eq!(mask(b"s3cr3t-token", &secrets(), 14), None);
        assert!(has(b"a{{secret:bank}}") && !has(b"a{{secret:bank}"));
    }

    /// What a secret holds is never taken for a placeholder.
    #[test]
    fn a_secret_is_not_looked_into() {
        let nested = [(Id::parse("a", "id").unwrap(), Zeroizing::new(b"{{secret:b}}".to_vec()))].into();
        assert_eq!(fill(b"{{secret:a}}", &nested, 100).unwrap().as_slice(), b"{{secret:b}}");
    }

    /// A secret in a secret, one that begins in another, and one whose placeholder holds another.
    #[test]
    fn secrets_that_overlap_are_masked_whole_and_once() {
        let secret =
            |name: &str, text: &str| (Id::parse(name, "id").unwrap(), Zeroizing::new(text.as_bytes().to_vec()));
        let secrets: Revealed = [secret("a", "abcdefgh"), secret("b", "abcdefghijkl"), secret("c", "ijklmnop")].into();
        let masked = |text: &str| String::from_utf8(mask(text.as_bytes(), &secrets, 100).unwrap()).unwrap();
        assert_eq!(masked("-abcdefgh-"), "-{{secret:a}}-");
        assert_eq!(masked("-abcdefghijkl-"), "-{{secret:b}}-");
        assert_eq!(masked("-abcdefghijklmnop-"), "-{{secret:b}}-");
        let chained: Revealed = [secret("bbbbbbbb", "aaaaaaaa"), secret("c", "bbbbbbbb")].into();
        assert_eq!(mask(b"aaaaaaaa", &chained, 100).unwrap(), b"{{secret:bbbbbbbb}}");
    }

    #[test]
    fn names_are_found_where_they_may_stand() {
        let request = Request {
            method: backroom_domain::outbound::Method::Post,
            url: "https://a/{{secret:in-url}}".to_owned(),
            headers: vec![
                ("{{secret:in-name}}".into(), "{{secret:in-value}}".into()),
                ("a".into(), "{{secret:?}}".into()),
            ],
            body: b"{{secret:in-body}}".to_vec(),
            timeout_ms: 1,
        };
        let mut problems = Vec::new();
        let names: Vec<_> = named(&request, &mut problems).into_iter().map(String::from).collect();
        assert_eq!((names.as_slice(), problems.len()), (&["in-body".to_owned(), "in-value".to_owned()][..], 1));
    }
}
