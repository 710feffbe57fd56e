//! Records: typed values behind a version byte.

use crate::error::CodecError;
use crate::key::RecordKey;

/// The longest encoded record. Larger content belongs in files; sled keeps larger values in files of its own, unsynced.
pub const MAX_VALUE: usize = 64 * 1024;

/// Room for most records, so that encoding one takes memory once.
const USUAL: usize = 256;

/// One typed record space. The encoding is a version byte and a minicbor body with numbered fields, so fields can be added
/// without a new version; a new version is for a change that old code would misread.
pub trait Record: Sized + minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()> {
    /// The number of the space: unique per record type, written down in a table in the implementing crate. 0 is the
    /// store's own and does not compile.
    const SPACE: u8;
    /// The newest version of the encoding that this code can read, and the one it writes.
    const VERSION: u8 = 1;
    /// What names one record within the tenant and the space.
    type Key: RecordKey;

    /// The key of this record.
    fn key(&self) -> Self::Key;

    /// Version byte and body.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(USUAL);
        bytes.push(Self::VERSION);
        let mut encoder = minicbor::Encoder::new(bytes);
        // Writing into a Vec cannot fail, and derived encoders report nothing else. Should a hand-written one do so, the
        // value is cut short and `Tx::put` refuses it.
        match encoder.encode(self) {
            Ok(_) => encoder.into_writer(),
            Err(_) => Vec::new(),
        }
    }

    /// The reverse of [`Record::encode`]. Bytes after the body are an error.
    ///
    /// # Errors
    /// A version that this code does not know, or a body that is not one.
    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (version, body) = bytes.split_first().ok_or(CodecError::Empty)?;
        if *version == 0 || *version > Self::VERSION {
            return Err(CodecError::Version { found: *version, known: Self::VERSION });
        }
        let mut decoder = minicbor::Decoder::new(body);
        let record = decoder.decode().map_err(CodecError::malformed)?;
        if decoder.position() != body.len() {
            return Err(CodecError::malformed("bytes after the body"));
        }
        Ok(record)
    }
}
