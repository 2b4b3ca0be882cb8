//! Graphs whose equal atoms and bonds are computed once, level by level; `preprocess::refine` says which are equal.

/// The classes of one level. All numbers of classes count from the first class of the batch.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Level {
    /// Of each class of atoms the class at the level before; at the first level the token.
    pub atom: Vec<i64>,
    /// How many atoms each of them has.
    pub atom_count: Vec<i64>,
    /// Of each class of directed bonds the class at the level before; at the first level the token.
    pub bond: Vec<i64>,
    /// How many bonds each of them has.
    pub bond_count: Vec<i64>,
    /// The atoms that each class of bonds leaves, as their class at the level before. None at the first level.
    pub source: Vec<i64>,
    /// The atoms that it leads to, likewise.
    pub target: Vec<i64>,
    /// For each bond that leaves an atom of a class: that class of atoms. None at the first level.
    pub sum_atom: Vec<i64>,
    /// And the bond's class, both of this level.
    pub sum_bond: Vec<i64>,
}

/// One of a level's lists, and the name of the tensor that a network takes it from, less the number of the level.
type List = (&'static str, fn(&Level) -> &[i64]);

const LISTS: [List; 8] = [
    ("atom", |level| &level.atom),
    ("atom_count", |level| &level.atom_count),
    ("bond", |level| &level.bond),
    ("bond_count", |level| &level.bond_count),
    ("source", |level| &level.source),
    ("target", |level| &level.target),
    ("sum_atom", |level| &level.sum_atom),
    ("sum_bond", |level| &level.sum_bond),
];

/// What a network of so many messages reads of a level: at the first one nothing is before, and after the last message nobody asks for atoms.
fn lists(level: usize, messages: usize) -> &'static [List] {
    match level {
        0 => &LISTS[..4],
        _ if level == messages => &LISTS[2..6],
        _ => &LISTS,
    }
}

/// The names of all tensors of a network's levels.
pub(super) fn names(messages: usize) -> impl Iterator<Item = String> {
    (0..=messages).flat_map(move |level| lists(level, messages).iter().map(move |(name, _)| format!("{name}_{level}")))
}

/// One molecule, or several one after the other: a level for each message that atoms get, and one before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refined {
    /// The last one has bonds alone.
    pub levels: Vec<Level>,
}

impl Refined {
    /// What it costs: the classes that the network computes, of a level on average.
    pub fn length(&self) -> usize {
        let classes: usize = self.levels.iter().map(|level| level.atom.len() + level.bond.len()).sum();
        classes.div_ceil(self.levels.len().max(1))
    }

    /// Lays another one behind it.
    pub(super) fn append(&mut self, more: &Self) {
        // From the last level on: each counts from what the level before it has without the new one.
        for (index, new) in more.levels.iter().enumerate().rev() {
            let (earlier, later) = self.levels.split_at_mut(index);
            let [atoms, bonds] =
                earlier.last().map_or([0, 0], |level| [&level.atom, &level.bond].map(|list| count(list)));
            let Some(level) = later.first_mut() else { continue };
            let [own_atoms, own_bonds] = [&level.atom, &level.bond].map(|list| count(list));
            for (list, new, first) in [
                (&mut level.atom, &new.atom, atoms),
                (&mut level.atom_count, &new.atom_count, 0),
                (&mut level.bond, &new.bond, bonds),
                (&mut level.bond_count, &new.bond_count, 0),
                (&mut level.source, &new.source, atoms),
                (&mut level.target, &new.target, atoms),
                (&mut level.sum_atom, &new.sum_atom, own_atoms),
                (&mut level.sum_bond, &new.sum_bond, own_bonds),
            ] {
                list.extend(new.iter().map(|number| first + number));
            }
        }
    }
}

/// Molecules of one inference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefinedBatch {
    /// All of them.
    pub all: Refined,
    /// Molecule of each class of atoms at the first level, ascending.
    pub atom_graph: Vec<i64>,
    /// Molecule of each class of bonds at the first level, ascending.
    pub bond_graph: Vec<i64>,
    /// Atoms of each molecule.
    pub size: Vec<i64>,
}

impl RefinedBatch {
    /// Lays molecules of one model one after the other.
    pub fn pack<'a>(molecules: impl IntoIterator<Item = &'a Refined>) -> Self {
        let mut batch = Self { all: Refined { levels: vec![] }, atom_graph: vec![], bond_graph: vec![], size: vec![] };
        for molecule in molecules {
            let number = count(&batch.size);
            if batch.size.is_empty() {
                batch.all = molecule.clone();
            } else {
                batch.all.append(molecule);
            }
            if let (Some(all), Some(own)) = (batch.all.levels.first(), molecule.levels.first()) {
                batch.atom_graph.resize(all.atom.len(), number);
                batch.bond_graph.resize(all.bond.len(), number);
                batch.size.push(own.atom_count.iter().sum());
            }
        }
        batch
    }

    /// The names of the level's tensors, and what is in them.
    pub(super) fn tensors(&self) -> impl Iterator<Item = (String, &[i64])> {
        let messages = self.all.levels.len().saturating_sub(1);
        self.all.levels.iter().enumerate().flat_map(move |(number, level)| {
            lists(number, messages).iter().map(move |(name, list)| (format!("{name}_{number}"), list(level)))
        })
    }
}

fn count(list: &[i64]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Water and a network of two messages: two hydrogens that nothing tells apart.
    fn water() -> Refined {
        let first =
            Level { atom: vec![3, 4], atom_count: vec![1, 2], bond: vec![5], bond_count: vec![4], ..Level::default() };
        let second = Level {
            atom: vec![0, 1],
            atom_count: vec![1, 2],
            bond: vec![0, 0],
            bond_count: vec![2, 2],
            source: vec![0, 1],
            target: vec![1, 0],
            sum_atom: vec![0, 0, 1],
            sum_bond: vec![0, 0, 1],
        };
        let third = Level { atom: vec![], atom_count: vec![], sum_atom: vec![], sum_bond: vec![], ..second.clone() };
        let third = Level { bond: vec![0, 1], ..third };
        Refined { levels: vec![first, second, third] }
    }

    #[test]
    fn the_classes_of_a_molecule_are_counted_on_from_those_before_it() {
        let batch = RefinedBatch::pack([&water(), &water(), &water()]);
        let [first, second, third] = &batch.all.levels[..] else { panic!("three levels") };
        assert_eq!((&first.atom[..], &first.bond[..]), (&[3, 4, 3, 4, 3, 4][..], &[5, 5, 5][..]));
        assert_eq!(second.atom, [0, 1, 2, 3, 4, 5]);
        assert_eq!(second.bond, [0, 0, 1, 1, 2, 2]);
        assert_eq!((&second.source[..], &second.target[..]), (&[0, 1, 2, 3, 4, 5][..], &[1, 0, 3, 2, 5, 4][..]));
        assert_eq!((&second.sum_atom[..3], &second.sum_bond[3..]), (&[0, 0, 1][..], &[2, 2, 3, 4, 4, 5][..]));
        assert_eq!((&third.bond[..], &third.source[4..]), (&[0, 1, 2, 3, 4, 5][..], &[4, 5][..]));
        assert_eq!(third.bond_count, [2; 6]);
        assert_eq!(
            (batch.atom_graph, batch.bond_graph, batch.size),
            (vec![0, 0, 1, 1, 2, 2], vec![0, 1, 2], vec![3; 3])
        );
    }

    #[test]
    fn a_molecule_costs_its_classes_of_a_level_on_average() {
        // 3, 4 and 2.
        assert_eq!(water().length(), 3);
    }

    #[test]
    fn each_level_has_the_tensors_that_its_network_reads() {
        let expected =
            ["atom_0", "atom_count_0", "bond_0", "bond_count_0", "bond_1", "bond_count_1", "source_1", "target_1"];
        assert_eq!(names(1).collect::<Vec<_>>(), expected);
        assert_eq!(names(3).count(), 4 + 8 + 8 + 4);
        let batch = RefinedBatch::pack([&water()]);
        assert_eq!(batch.tensors().map(|(name, _)| name).collect::<Vec<_>>(), names(2).collect::<Vec<_>>());
    }
}
