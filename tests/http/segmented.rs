//! DASH, HLS and CMAF by the words of RFC 9110 and RFC 9111.
