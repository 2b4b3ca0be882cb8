//! What the API server alone says to users: refusals, explanations, columns, subresources. No node needed.

mod accepted;
mod chart;
mod definition;
mod kubectl;
mod refused;
