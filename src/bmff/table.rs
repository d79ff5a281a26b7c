//! The table of the box types that are read field by field.

use bytes::Bytes;

use super::{Boxes, Header, uuid};
use crate::base::{Cursor, Error, FourCc, Sink};

/// Types that [`Boxes::get`] and [`Boxes::all`] can look up. Only this crate implements it.
pub trait Typed: sealed::Sealed + Sized + 'static {
    /// The type, and for `uuid` boxes the extended type.
    const HEADER: Header;
    #[doc(hidden)]
    fn of(body: &Body) -> Option<&Self>;
    #[doc(hidden)]
    fn of_mut(body: &mut Body) -> Option<&mut Self>;
    #[doc(hidden)]
    fn into_body(self) -> Body;
}

/// A typed box, which can be read, measured and written.
pub(crate) trait Content: Sized {
    /// Reads the fields; bytes that remain in `body` are kept as the box's rest.
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error>;
    /// Number of bytes that [`Content::write`] writes.
    fn len(&self) -> u64;
    fn write(&self, sink: &mut Sink);
}

/// Declares that a box has the content of another type, which it wraps.
macro_rules! same_content {
    ($name:ident, $content:ty) => {
        impl Content for $name {
            fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
                <$content>::parse(body).map(Self)
            }

            fn len(&self) -> u64 {
                self.0.len()
            }

            fn write(&self, sink: &mut Sink) {
                self.0.write(sink);
            }
        }
    };
}

pub(super) use same_content;

mod sealed {
    pub trait Sealed {}
}

/// Declares the table: a box type is one line here and one file in this folder.
macro_rules! table {
    (
        containers { $($container:literal)* }
        boxes { $($kind:literal => $module:ident::$name:ident,)* }
        extended { $($ext_module:ident::$ext_name:ident,)* }
    ) => {
        /// The content of a box.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Body {
            /// Other boxes, and nothing else.
            Boxes(Boxes),
            /// A type that is not read here, or fields that cannot be read: all bytes after the
            /// header.
            Other(Bytes),
            $(#[doc = concat!("`", stringify!($module), "`")] $name(super::$name),)*
            $(#[doc = concat!("extended type `", stringify!($ext_module), "`")] $ext_name(uuid::$ext_name),)*
        }

        impl Body {
            pub(super) fn parse_typed(header: &Header, body: &mut Cursor<'_>) -> Result<Option<Self>, Error> {
                let Some(extended) = header.extended else {
                    return match &header.kind.0 {
                        $($kind => super::$name::parse(body).map(Self::$name).map(Some),)*
                        _ => Ok(None),
                    };
                };
                $(if extended == uuid::$ext_name::UUID {
                    return uuid::$ext_name::parse(body).map(Self::$ext_name).map(Some);
                })*
                Ok(None)
            }

            /// Returns the name of the type, if [`parse_typed`](Self::parse_typed) reads its
            /// fields.
            pub(super) fn typed_name(header: &Header) -> Option<&'static str> {
                let Some(extended) = header.extended else {
                    return match &header.kind.0 {
                        $($kind => Some(stringify!($module)),)*
                        _ => None,
                    };
                };
                $(if extended == uuid::$ext_name::UUID {
                    return Some(stringify!($ext_module));
                })*
                None
            }

            pub(super) fn len(&self) -> u64 {
                match self {
                    Self::Boxes(boxes) => boxes.len(),
                    Self::Other(bytes) => bytes.len() as u64,
                    $(Self::$name(content) => content.len(),)*
                    $(Self::$ext_name(content) => content.len(),)*
                }
            }

            pub(super) fn write(&self, sink: &mut Sink) {
                match self {
                    Self::Boxes(boxes) => boxes.write(sink),
                    Self::Other(bytes) => sink.put(bytes),
                    $(Self::$name(content) => content.write(sink),)*
                    $(Self::$ext_name(content) => content.write(sink),)*
                }
            }
        }

        pub(super) const CONTAINERS: &[[u8; 4]] = &[$(*$container),*];

        $(table!(@typed super::$name, $name, Header::new(FourCc(*$kind)));)*
        $(table!(@typed uuid::$ext_name, $ext_name, Header::extended(uuid::$ext_name::UUID));)*
    };
    (@typed $type:path, $name:ident, $header:expr) => {
        impl sealed::Sealed for $type {}
        impl Typed for $type {
            const HEADER: Header = $header;
            fn of(body: &Body) -> Option<&Self> {
                if let Body::$name(content) = body { Some(content) } else { None }
            }
            fn of_mut(body: &mut Body) -> Option<&mut Self> {
                if let Body::$name(content) = body { Some(content) } else { None }
            }
            fn into_body(self) -> Body {
                Body::$name(self)
            }
        }
    };
}

table! {
    containers {
        b"moov" b"trak" b"edts" b"mdia" b"minf" b"stbl" b"mvex" b"moof" b"traf" b"mfra" b"sinf" b"schi"
    }
    boxes {
        b"ftyp" => ftyp::Ftyp,
        b"mvhd" => mvhd::Mvhd,
        b"pssh" => pssh::Pssh,
        b"tkhd" => tkhd::Tkhd,
        b"mdhd" => mdhd::Mdhd,
        b"hdlr" => hdlr::Hdlr,
        b"stsd" => stsd::Stsd,
        b"stts" => stts::Stts,
        b"ctts" => ctts::Ctts,
        b"stsc" => stsc::Stsc,
        b"stsz" => stsz::Stsz,
        b"stz2" => stz2::Stz2,
        b"stco" => stco::Stco,
        b"co64" => co64::Co64,
        b"stss" => stss::Stss,
        b"elst" => elst::Elst,
        b"mehd" => mehd::Mehd,
        b"trex" => trex::Trex,
        b"mfhd" => mfhd::Mfhd,
        b"tfhd" => tfhd::Tfhd,
        b"tfdt" => tfdt::Tfdt,
        b"trun" => trun::Trun,
        b"sdtp" => sdtp::Sdtp,
        b"senc" => senc::Senc,
        b"saiz" => saiz::Saiz,
        b"saio" => saio::Saio,
        b"subs" => subs::Subs,
        b"sbgp" => sbgp::Sbgp,
        b"sidx" => sidx::Sidx,
        b"tfra" => tfra::Tfra,
        b"mfro" => mfro::Mfro,
        b"avcC" => avcc::AvcC,
        b"hvcC" => hvcc::HvcC,
        b"esds" => esds::Esds,
        b"dvc1" => dvc1::Dvc1,
        b"dvcC" => dvcc::DvcC,
        b"dvvC" => dvcc::DvvC,
        b"wfex" => wfex::Wfex,
        b"dac3" => dac3::Dac3,
        b"dec3" => dec3::Dec3,
        b"dOps" => dops::DOps,
        b"vttC" => vttc::VttC,
        b"frma" => frma::Frma,
        b"schm" => schm::Schm,
        b"tenc" => tenc::Tenc,
    }
    extended {
        tfxd::Tfxd,
        tfrf::Tfrf,
        piff_pssh::PiffPssh,
        piff_senc::PiffSenc,
        piff_tenc::PiffTenc,
        live_server_manifest::LiveServerManifest,
        stream_manifest::StreamManifestBox,
    }
}
