//! Layers for Wengert: dense, embedding, normalization, dropout, initialisation.
#![forbid(unsafe_code)]
