//! Fuzz targets for `smooth-origin`: what they hold true is in `bodies/`, how inputs are made out
//! of valid ones in `mutate.rs`.

pub mod bodies;
pub mod mutate;
