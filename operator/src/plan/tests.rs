pub mod tests {}
