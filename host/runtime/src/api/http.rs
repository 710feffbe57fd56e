//! `backroom:host/http`: requests to the outside.

use backroom_domain::outbound;
use backroom_office::calls;

use super::FIXED;
use crate::bindings::backroom::host::http::{Header, Host, Method, Request, Response};
use crate::error::HostError;
use crate::outbound::Checked;
use crate::state::RunState;

impl Host for RunState {
    fn send(&mut self, request: Request) -> Result<Response, HostError> {
        let Request { method, url, headers, body, timeout_ms } = request;
        let pairs: Vec<_> = headers.into_iter().map(|header| (header.name, header.value)).collect();
        let _host = self.guest.enter(FIXED + url.len() + size(&pairs) + body.len())?;
        let request = calls::Request { method: method_from(method), url, headers: pairs, body, timeout_ms };
        let checked = Checked::of(&request, self.work.rights())?;
        // Whoever waits for the outside needs no processor meanwhile.
        drop(self.guest.slice.take());
        let until = self.guest.call_until();
        let calls::Response { status, headers, body } = self.calls.answer(&self.work, request, &checked, until)?;
        self.guest.leave(FIXED + size(&headers) + body.len())?;
        let headers = headers.into_iter().map(|(name, value)| Header { name, value }).collect();
        Ok(Response { status, headers, body })
    }
}

fn method_from(method: Method) -> outbound::Method {
    match method {
        Method::Get => outbound::Method::Get,
        Method::Head => outbound::Method::Head,
        Method::Post => outbound::Method::Post,
        Method::Put => outbound::Method::Put,
        Method::Patch => outbound::Method::Patch,
        Method::Delete => outbound::Method::Delete,
    }
}

fn size(headers: &[(String, String)]) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.len() + FIXED).sum()
}
