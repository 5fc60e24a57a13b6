//! Tests of the model: what must hold in it, what theory says of it, and that it mirrors the product.

mod attacks;
mod discovery;
mod gossip;
mod params;
mod runs;
mod work;
