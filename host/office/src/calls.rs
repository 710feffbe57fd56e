//! Requests that a run sent to the outside, and their answers, as its record has them.

use backroom_domain::Error;
use backroom_domain::outbound::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A request as the plugin gave it: secrets are placeholders in it.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Request {
    /// What it does.
    #[n(0)]
    pub method: Method,
    /// Where to.
    #[n(1)]
    pub url: String,
    /// Name and value.
    #[n(2)]
    pub headers: Vec<(String, String)>,
    /// The body.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub body: Vec<u8>,
    /// How long it may take.
    #[n(4)]
    pub timeout_ms: u32,
}

/// A response as the plugin got it.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Response {
    /// The status.
    #[n(0)]
    pub status: u16,
    /// Name and value.
    #[n(1)]
    pub headers: Vec<(String, String)>,
    /// The body.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum Answer {
    /// The other side answered.
    #[n(0)]
    Response(#[n(0)] Response),
    /// It did not, or was not asked.
    #[n(1)]
    Error(#[n(0)] Error),
}

/// A request and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Exchange {
    /// What was sent.
    #[n(0)]
    pub request: Request,
    /// What came of it.
    #[n(1)]
    pub answer: Answer,
}

/// An exchange without its content, for reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CallLine {
    /// What it did.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// The status, if there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The code, if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Bytes of the request's body.
    pub sent: u64,
    /// Bytes of the response's body.
    pub received: u64,
}

impl Request {
    /// What it takes in the record, roughly.
    pub fn size(&self) -> usize {
        FIXED + self.url.len() + size_of(&self.headers) + self.body.len()
    }
}

impl Response {
    /// What it takes in the record, roughly.
    pub fn size(&self) -> usize {
        FIXED + size_of(&self.headers) + self.body.len()
    }
}

impl Exchange {
    /// What it takes in the record, roughly.
    pub fn size(&self) -> usize {
        let answer = match &self.answer {
            Answer::Response(response) => response.size(),
            Answer::Error(error) => {
                FIXED + error.problems.iter().map(|problem| problem.message.len() + FIXED).sum::<usize>()
            }
        };
        self.request.size() + answer
    }

    /// For reports.
    pub fn line(&self) -> CallLine {
        let bytes = |body: &[u8]| u64::try_from(body.len()).unwrap_or(u64::MAX);
        let (status, code, received) = match &self.answer {
            Answer::Response(response) => (Some(response.status), None, bytes(&response.body)),
            Answer::Error(error) => (None, Some(error.code().to_owned()), 0),
        };
        let Request { method, url, body, .. } = &self.request;
        CallLine { method: *method, url: url.clone(), status, code, sent: bytes(body), received }
    }
}

const FIXED: usize = 32;

fn size_of(headers: &[(String, String)]) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.len() + FIXED).sum()
}
