//! Each rule about the sending of calls catches who breaks it.
