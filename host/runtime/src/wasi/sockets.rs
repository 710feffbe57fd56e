//! `wasi:sockets`: whoever wants a socket or an address is denied it.
//!
//! Nobody has a socket. Its methods are here because the interfaces have them, and deny as well.

use wasmtime::component::Resource;

use super::bindings::wasi::io::error::Error;
use super::bindings::wasi::sockets::{
    instance_network, ip_name_lookup, network, tcp, tcp_create_socket, udp, udp_create_socket,
};
use super::poll::Pollable;
use super::streams::{Input, Output};
use crate::guest::Guest;
use ip_name_lookup::ResolveAddressStream;
use network::{ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress};
use tcp::{ShutdownType, TcpSocket};
use udp::{IncomingDatagram, IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket};

/// The right to ask for a connection, without any to be had.
#[expect(unreachable_pub, reason = "the generated code passes it on")]
pub struct Network;

type Answer<T> = wasmtime::Result<Result<T, ErrorCode>>;

impl Guest {
    fn no_network<T>(&mut self, bytes: usize) -> Answer<T> {
        self.observe(bytes)?;
        Ok(Err(ErrorCode::AccessDenied))
    }
}

impl instance_network::Host for Guest {
    fn instance_network(&mut self) -> wasmtime::Result<Resource<Network>> {
        self.hand_out(Network)
    }
}

impl network::Host for Guest {
    /// No error of a stream is one of a socket. Not linked: the function is not part of WASI 0.2 yet.
    fn network_error_code(&mut self, _: Resource<Error>) -> wasmtime::Result<Option<ErrorCode>> {
        self.observe(0)?;
        Ok(None)
    }
}

impl network::HostNetwork for Guest {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        self.take_back(network)
    }
}

impl tcp_create_socket::Host for Guest {
    fn create_tcp_socket(&mut self, _: IpAddressFamily) -> Answer<Resource<TcpSocket>> {
        self.no_network(0)
    }
}

impl udp_create_socket::Host for Guest {
    fn create_udp_socket(&mut self, _: IpAddressFamily) -> Answer<Resource<UdpSocket>> {
        self.no_network(0)
    }
}

impl ip_name_lookup::Host for Guest {
    fn resolve_addresses(&mut self, _: Resource<Network>, name: String) -> Answer<Resource<ResolveAddressStream>> {
        self.no_network(name.len())
    }
}

/// Methods that there is no socket for, and the end of a handle that there never was.
macro_rules! denied {
    ($of:ty: $($name:ident($($argument:ty),*) -> $answer:ty;)*) => {
        $(fn $name(&mut self, _: Resource<$of>, $(_: $argument),*) -> Answer<$answer> {
            self.no_network(0)
        })*

        fn subscribe(&mut self, _: Resource<$of>) -> wasmtime::Result<Resource<Pollable>> {
            self.hand_out(Pollable::Ready)
        }

        fn drop(&mut self, handle: Resource<$of>) -> wasmtime::Result<()> {
            self.take_back(handle)
        }
    };
}

impl ip_name_lookup::HostResolveAddressStream for Guest {
    denied! { ResolveAddressStream:
        resolve_next_address() -> Option<IpAddress>;
    }
}

impl tcp::Host for Guest {}

impl tcp::HostTcpSocket for Guest {
    denied! { TcpSocket:
        start_bind(Resource<Network>, IpSocketAddress) -> ();
        finish_bind() -> ();
        start_connect(Resource<Network>, IpSocketAddress) -> ();
        finish_connect() -> (Resource<Input>, Resource<Output>);
        start_listen() -> ();
        finish_listen() -> ();
        accept() -> (Resource<TcpSocket>, Resource<Input>, Resource<Output>);
        local_address() -> IpSocketAddress;
        remote_address() -> IpSocketAddress;
        set_listen_backlog_size(u64) -> ();
        keep_alive_enabled() -> bool;
        set_keep_alive_enabled(bool) -> ();
        keep_alive_idle_time() -> u64;
        set_keep_alive_idle_time(u64) -> ();
        keep_alive_interval() -> u64;
        set_keep_alive_interval(u64) -> ();
        keep_alive_count() -> u32;
        set_keep_alive_count(u32) -> ();
        hop_limit() -> u8;
        set_hop_limit(u8) -> ();
        receive_buffer_size() -> u64;
        set_receive_buffer_size(u64) -> ();
        send_buffer_size() -> u64;
        set_send_buffer_size(u64) -> ();
        shutdown(ShutdownType) -> ();
    }

    fn is_listening(&mut self, _: Resource<TcpSocket>) -> wasmtime::Result<bool> {
        self.observe(0)?;
        Ok(false)
    }

    fn address_family(&mut self, _: Resource<TcpSocket>) -> wasmtime::Result<IpAddressFamily> {
        self.observe(0)?;
        Ok(IpAddressFamily::Ipv4)
    }
}

impl udp::Host for Guest {}

impl udp::HostUdpSocket for Guest {
    denied! { UdpSocket:
        start_bind(Resource<Network>, IpSocketAddress) -> ();
        finish_bind() -> ();
        stream(Option<IpSocketAddress>) -> (Resource<IncomingDatagramStream>, Resource<OutgoingDatagramStream>);
        local_address() -> IpSocketAddress;
        remote_address() -> IpSocketAddress;
        unicast_hop_limit() -> u8;
        set_unicast_hop_limit(u8) -> ();
        receive_buffer_size() -> u64;
        set_receive_buffer_size(u64) -> ();
        send_buffer_size() -> u64;
        set_send_buffer_size(u64) -> ();
    }

    fn address_family(&mut self, _: Resource<UdpSocket>) -> wasmtime::Result<IpAddressFamily> {
        self.observe(0)?;
        Ok(IpAddressFamily::Ipv4)
    }
}

impl udp::HostIncomingDatagramStream for Guest {
    denied! { IncomingDatagramStream:
        receive(u64) -> Vec<IncomingDatagram>;
    }
}

impl udp::HostOutgoingDatagramStream for Guest {
    denied! { OutgoingDatagramStream:
        check_send() -> u64;
        send(Vec<OutgoingDatagram>) -> u64;
    }
}
