//! What a call does, for who decides whether it may.

use vipward_region_model::iam::Context;

/// The resources and the context of a call.
pub(super) type About = (Vec<String>, Context);
