//! Makes a plan that goes wrong smaller, while it goes wrong.

use crate::plan::{Manner, Plan};

/// What is left of `plan` when no step can be left out, no node made honest and no clock made right
/// without `is_wrong` becoming false. `tries` bounds the runs.
pub fn shrink(plan: Plan, mut tries: usize, mut is_wrong: impl FnMut(&Plan) -> bool) -> Plan {
    let mut smallest = plan;
    let mut piece = smallest.steps.len().div_ceil(2).max(1);
    let mut accept = |candidate: Plan, smallest: &mut Plan| {
        if tries == 0 || candidate == *smallest {
            return false;
        }
        tries -= 1;
        let accepted = is_wrong(&candidate);
        if accepted {
            *smallest = candidate;
        }
        accepted
    };
    loop {
        let mut start = 0;
        let mut changed = false;
        while start < smallest.steps.len() {
            let mut candidate = smallest.clone();
            let end = (start + piece).min(candidate.steps.len());
            candidate.steps.drain(start..end);
            if accept(candidate, &mut smallest) {
                changed = true;
            } else {
                start += piece;
            }
        }
        if piece == 1 && !changed {
            break;
        }
        piece = piece.div_ceil(2).max(1);
        if piece == 1 && smallest.steps.len() <= 1 && !changed {
            break;
        }
    }
    for index in 0..smallest.nodes.len() {
        let mut candidate = smallest.clone();
        (candidate.nodes[index].manner, candidate.nodes[index].drift_ppm) = (Manner::Honest, 0);
        accept(candidate, &mut smallest);
        let mut candidate = smallest.clone();
        candidate.nodes[index].comes_ms = 0;
        accept(candidate, &mut smallest);
    }
    smallest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_steps_that_matter_are_left() {
        let plan = (0..50).map(Plan::of_seed).max_by_key(|plan| plan.steps.len()).expect("fifty");
        assert!(plan.steps.len() > 8, "{} steps", plan.steps.len());
        let needed = [plan.steps[2].clone(), plan.steps[7].clone()];
        let is_wrong = |plan: &Plan| needed.iter().all(|step| plan.steps.contains(step));
        let small = shrink(plan, 1_000, is_wrong);
        assert_eq!(small.steps, needed);
        assert!(small.nodes.iter().all(|node| node.manner == Manner::Honest && node.drift_ppm == 0));
    }
}
