//! `wasi:filesystem`: no folder to begin with, so nothing to open.
//!
//! Nobody has a descriptor. Its methods are here because the interface has them, and answer that it is a bad one.

use wasmtime::component::Resource;

use super::bindings::wasi::filesystem::{preopens, types};
use super::bindings::wasi::io::error::Error;
use super::streams::{Input, Output};
use crate::guest::Guest;
use types::{
    Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream,
    ErrorCode, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};

impl preopens::Host for Guest {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        self.observe(0)?;
        Ok(Vec::new())
    }
}

impl types::Host for Guest {
    /// No error of a stream is one of a file.
    fn filesystem_error_code(&mut self, _: Resource<Error>) -> wasmtime::Result<Option<ErrorCode>> {
        self.observe(0)?;
        Ok(None)
    }
}

/// Methods that there is no descriptor for.
macro_rules! bad_descriptor {
    ($of:ty: $($name:ident($($argument:ty),*) -> $answer:ty;)*) => {
        $(fn $name(
            &mut self,
            _: Resource<$of>,
            $(_: $argument),*
        ) -> wasmtime::Result<Result<$answer, ErrorCode>> {
            self.observe(0)?;
            Ok(Err(ErrorCode::BadDescriptor))
        })*
    };
}

impl types::HostDescriptor for Guest {
    bad_descriptor! { Descriptor:
        read_via_stream(u64) -> Resource<Input>;
        write_via_stream(u64) -> Resource<Output>;
        append_via_stream() -> Resource<Output>;
        advise(u64, u64, Advice) -> ();
        sync_data() -> ();
        get_flags() -> DescriptorFlags;
        get_type() -> DescriptorType;
        set_size(u64) -> ();
        set_times(NewTimestamp, NewTimestamp) -> ();
        read(u64, u64) -> (Vec<u8>, bool);
        write(Vec<u8>, u64) -> u64;
        read_directory() -> Resource<DirectoryEntryStream>;
        sync() -> ();
        create_directory_at(String) -> ();
        stat() -> DescriptorStat;
        stat_at(PathFlags, String) -> DescriptorStat;
        set_times_at(PathFlags, String, NewTimestamp, NewTimestamp) -> ();
        link_at(PathFlags, String, Resource<Descriptor>, String) -> ();
        open_at(PathFlags, String, OpenFlags, DescriptorFlags) -> Resource<Descriptor>;
        readlink_at(String) -> String;
        remove_directory_at(String) -> ();
        rename_at(String, Resource<Descriptor>, String) -> ();
        symlink_at(String, String) -> ();
        unlink_file_at(String) -> ();
        metadata_hash() -> MetadataHashValue;
        metadata_hash_at(PathFlags, String) -> MetadataHashValue;
    }

    fn is_same_object(&mut self, _: Resource<Descriptor>, _: Resource<Descriptor>) -> wasmtime::Result<bool> {
        self.observe(0)?;
        Ok(false)
    }

    fn drop(&mut self, descriptor: Resource<Descriptor>) -> wasmtime::Result<()> {
        self.take_back(descriptor)
    }
}

impl types::HostDirectoryEntryStream for Guest {
    bad_descriptor! { DirectoryEntryStream:
        read_directory_entry() -> Option<DirectoryEntry>;
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.take_back(stream)
    }
}
