//! The order in which services start.

use std::collections::BTreeSet;

/// What one service needs, by positions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needs {
    /// Those that must be there first.
    pub after: BTreeSet<usize>,
    /// Those that had better be there first: two services may well reach each other.
    pub links: BTreeSet<usize>,
}

/// An order in which all come after what they need and, where that leaves a choice, after what they link to, as in
/// the file otherwise. Or a circle: services that each wait for the next, the last for the first.
pub(crate) fn order(needs: &[Needs]) -> Result<Vec<usize>, Vec<usize>> {
    let mut done = Vec::with_capacity(needs.len());
    let mut left: BTreeSet<usize> = (0..needs.len()).collect();
    while !left.is_empty() {
        let ready = left.iter().copied().filter(|at| needs[*at].after.is_disjoint(&left));
        let links_left =
            |at: &usize| needs[*at].links.iter().filter(|to| *to != at && left.contains(to)).count();
        let Some(next) = ready.min_by_key(|at| (links_left(at), *at)) else {
            return Err(circle(needs, &left));
        };
        left.remove(&next);
        done.push(next);
    }
    Ok(done)
}

/// A circle among services of which each needs another one of them.
fn circle(needs: &[Needs], left: &BTreeSet<usize>) -> Vec<usize> {
    let mut path: Vec<usize> = left.first().copied().into_iter().collect();
    while let Some(next) = path.last().and_then(|at| needs[*at].after.intersection(left).next()) {
        if let Some(start) = path.iter().position(|at| at == next) {
            return path.split_off(start);
        }
        path.push(*next);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn needs(after: &[&[usize]], links: &[&[usize]]) -> Vec<Needs> {
        let set = |list: &[usize]| list.iter().copied().collect();
        after.iter().zip(links).map(|(after, links)| Needs { after: set(after), links: set(links) }).collect()
    }

    #[test]
    fn what_is_needed_comes_first_and_links_give_way() {
        assert_eq!(order(&needs(&[&[], &[], &[]], &[&[], &[], &[]])), Ok(vec![0, 1, 2]), "as in the file");
        assert_eq!(order(&needs(&[&[1], &[2], &[]], &[&[], &[], &[]])), Ok(vec![2, 1, 0]));
        assert_eq!(order(&needs(&[&[], &[]], &[&[1], &[]])), Ok(vec![1, 0]), "links count");
        assert_eq!(order(&needs(&[&[], &[]], &[&[1], &[0]])), Ok(vec![0, 1]), "both reach each other");
        assert_eq!(order(&needs(&[&[], &[0]], &[&[1], &[]])), Ok(vec![0, 1]), "a link against a need");
        assert_eq!(order(&needs(&[&[1], &[2], &[1]], &[&[], &[], &[]])), Err(vec![1, 2]));
        assert_eq!(order(&needs(&[&[0]], &[&[]])), Err(vec![0]));
    }

    proptest! {
        #[test]
        fn any_needs_have_an_order_or_a_circle(edges in prop::collection::vec((0usize..8, 0usize..8, any::<bool>()), 0..20)) {
            let mut needs = vec![Needs::default(); 8];
            for (from, to, is_need) in edges {
                if is_need { needs[from].after.insert(to) } else { needs[from].links.insert(to) };
            }
            match order(&needs) {
                Ok(order) => {
                    prop_assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), 8);
                    for (position, at) in order.iter().enumerate() {
                        prop_assert!(needs[*at].after.iter().all(|need| order[..position].contains(need)));
                    }
                }
                Err(circle) => {
                    let next = circle.iter().cycle().skip(1);
                    prop_assert!(circle.iter().zip(next).all(|(at, next)| needs[*at].after.contains(next)));
                }
            }
        }
    }
}
