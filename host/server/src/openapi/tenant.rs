//! What a tenant has beside books, people and stock: imports, plugins and their runs, files, secrets.

use backroom_domain::files::File;
use backroom_office::Page;
use backroom_office::files::{Deleted, FolderUse};
use backroom_office::imports::ImportSummary;
use backroom_office::runs::RunRow;
use backroom_office::secrets::SecretRow;
use backroom_runtime::{ReplayReport, RunReport};
use backroom_store::records::Installation;

use super::text::{Text, delete, get, of_tenant, post, put};
use crate::extract::Paging;
use crate::routes::{files, installations, queue, runs, secrets};

/// A run ends so if the plugin or a limit says no: the report is in `run`. The plugin's own codes are among them.
const RUN: &str = "run-trapped run-out-of-fuel run-deadline run-out-of-memory run-host-calls run-effects run-output run-handles \
                   run-host-time run-output-size run-output-depth run-day-fuel";

pub(super) fn texts() -> Vec<Text> {
    let mut texts = vec![
        post(&of_tenant("/imports"), "Imports a client's files: accounts, people, stock, opening balances, journals.")
            .more("What is wrong with any of them refuses all of them, with file, line and column of every problem.")
            .takes_files(
                "One part for each file, with its name as `filename`; at most 16. Names and columns are in the README.",
            )
            .gives::<ImportSummary>()
            .refuses("import-invalid administer-denied"),
    ];
    texts.extend(plugins());
    texts.extend(kept());
    texts
}

fn plugins() -> Vec<Text> {
    vec![
        put(&of_tenant("/installations/{name}"), "Puts a release to use for a tenant, with grants, configuration and limits.")
            .more("Allowed is what the plugin wants, the operator grants, and whoever starts a run may do.")
            .takes::<installations::Wanted>(
                r#"{"release": "3f1cbe2a7d5046f8a9b1c2d3e4f5061728394a5b6c7d8e9f0a1b2c3d4e5f6071",
                    "grants": [{"why": "orders", "ledger": {"read": ["*"], "post": ["*"], "max-entry": "500.00 USD"},
                                "inventory": {"read": ["*"], "move-items": ["*"], "move-from": ["*"], "move-to": ["*"]}}],
                    "config": {}, "accept-rights": false}"#,
            )
            .gives::<installations::Shown>()
            .refuses("release-unknown config-too-large limit-invalid grant-invalid rights-grow")
            .with(&[("name", "order")]),
        get(&of_tenant("/installations"), "What is installed for a tenant.")
            .asks::<Paging>()
            .gives::<Page<Installation>>()
            .refuses("limit-invalid cursor-invalid"),
        get(&of_tenant("/installations/{name}"), "An installation, with what its release wants.")
            .gives::<installations::Shown>()
            .with(&[("name", "order")]),
        post(&of_tenant("/installations/{name}/runs"), "Runs a workflow.")
            .more(
                "201: committed now. 200: a dry run, or committed before. 202: it is queued. A run that was refused or failed is a \
                 problem with the report in `run`; its code is the plugin's own or one of those below.",
            )
            .takes::<runs::NewRun>(
                r#"{"id": "order-17", "mode": "commit", "date": "2026-06-18", "input": {
                    "mode": "book", "order": {
                        "reference": "order-17", "customer": "Harbour Lane Dental Practice", "date": "2026-06-18",
                        "currency": "USD", "source": "WH-MAIN", "destination": "CUSTOMERS",
                        "accounts": {"cash": "1000", "receivable": "1100", "tax": "2200", "revenue": "4000", "cost": "5000"},
                        "lines": [{"item": "HEADSET-20", "quantity": 1, "price_minor": 795}]}}}"#,
            )
            .gives::<RunReport>()
            .or_accepts::<queue::Waiting>()
            .refuses("exists-with-different input-too-large date-invalid queued-dry-run release-damaged")
            .refuses(RUN)
            .with(&[("name", "order")]),
        get(&of_tenant("/runs"), "Runs, in order of their ids.")
            .asks::<Paging>()
            .gives::<Page<RunRow>>()
            .refuses("limit-invalid cursor-invalid"),
        get(&of_tenant("/runs/{id}"), "Everything that the commit log has about a run; or that it waits.")
            .gives::<runs::Told>()
            .with(&[("id", "order-17")]),
        post(&of_tenant("/runs/{id}/replay"), "Executes a recorded run again and compares. Nothing is kept.")
            .reads()
            .gives::<ReplayReport>()
            .refuses("not-replayable release-damaged plugin-not-compiled")
            .with(&[("id", "order-17")]),
    ]
}

fn kept() -> Vec<Text> {
    const FILE: &[(&str, &str)] = &[("folder", "inbox"), ("path", "2026/06/bank.csv")];
    vec![
        put(&of_tenant("/files/{folder}/{path}"), "Keeps a file, in place of one that is there.")
            .takes_bytes("application/octet-stream", "The content, at most 64 MiB.")
            .gives::<File>()
            .refuses(
                "folder-invalid path-invalid path-occupied folders-too-many folder-quota-exceeded tenant-quota-exceeded \
                 file-too-large files-write-denied",
            )
            .with(FILE),
        get(&of_tenant("/files"), "Folders, with the room that is used and that there is.").gives::<Vec<FolderUse>>(),
        get(&of_tenant("/files/{folder}"), "Files of a folder, in order of their paths.")
            .asks::<files::Files>()
            .gives::<Page<File>>()
            .refuses("folder-invalid limit-invalid cursor-invalid files-read-denied")
            .with(&[("folder", "inbox"), ("prefix", "2026/")]),
        get(&of_tenant("/files/{folder}/{path}"), "The content of a file.")
            .gives_bytes(&["application/octet-stream"], "The content; `ETag` has its BLAKE3 hash.")
            .refuses("folder-invalid path-invalid files-read-denied")
            .with(FILE),
        delete(&of_tenant("/files/{folder}/{path}"), "Deletes a file. `false`: it was not there.")
            .gives::<Deleted>()
            .refuses("folder-invalid path-invalid files-write-denied")
            .with(FILE),
        put(&of_tenant("/secrets/{name}"), "Keeps a secret for requests of plugins. It is never shown again.")
            .takes::<secrets::NewSecret>(r#"{"value": "token of the bank"}"#)
            .gives::<SecretRow>()
            .refuses("secret-invalid administer-denied")
            .with(&[("name", "bank")]),
        get(&of_tenant("/secrets"), "Names of secrets.")
            .asks::<Paging>()
            .gives::<Page<SecretRow>>()
            .refuses("limit-invalid cursor-invalid administer-denied"),
        delete(&of_tenant("/secrets/{name}"), "Deletes a secret. `false`: it was not there.")
            .gives::<secrets::Deleted>()
            .refuses("administer-denied")
            .with(&[("name", "bank")]),
    ]
}
