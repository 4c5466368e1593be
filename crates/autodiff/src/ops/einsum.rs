//! Sums of products by the names of their axes.

use std::collections::BTreeMap;

use crate::{Real, Var};

/// # Einstein's sums
impl<'t, F: Real> Var<'t, F> {
    /// The sum of products that `equation` writes with a letter for each axis, as NumPy's and PyTorch's: a letter that
    /// the result lacks is summed over. Composite: permutations, sums and [`matmul`](Var::matmul), two operands at a
    /// time from left to right; the gradient is theirs.
    ///
    /// A letter twice in one operand takes the diagonal; `...` stands for any leading axes; an axis of size 1 is
    /// repeated. Without `->` the result has the letters that occur once, in alphabetical order.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape, Var};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([[1.0, 2.0], [3.0, 4.0]]), tape.variable([10.0, 1.0]));
    /// assert_eq!(Var::einsum("ij,j->i", &[a, b]).value(), [12.0, 34.0].into_tensor());
    /// assert_eq!(Var::einsum("ii->", &[a]).item(), 5.0);
    /// assert_eq!(Var::einsum("i,j", &[b, b]).value(), [[100.0, 10.0], [10.0, 1.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If it is not an equation, has another number of operands or axes than given, gives one letter two sizes, or the
    /// result a letter that no operand has.
    #[doc(alias("tensordot", "contract", "bilinear", "outer", "trace", "diagonal"))]
    #[track_caller]
    pub fn einsum(equation: &str, operands: &[Self]) -> Self {
        let (inputs, output) = parsed(equation, operands);
        let sizes = sizes(equation, &inputs, operands);
        if let Some(unknown) = output.iter().find(|label| !sizes.contains_key(label)) {
            panic!("`einsum`: `{equation}` has {} in the result only", shown(*unknown));
        }
        let mut rest = Vec::new();
        for (&x, labels) in operands.iter().zip(inputs).rev() {
            rest.push(Term { x, labels }.prepared(&sizes));
        }
        let mut product = rest.pop().expect("at least one operand");
        while let Some(next) = rest.pop() {
            let needed =
                |label: &char| output.contains(label) || rest.iter().any(|term| term.labels.contains(label));
            product = product.times(next, needed);
        }
        product.summed(|label| output.contains(label)).permuted(&output).x
    }
}

/// An operand and the letters of its axes.
struct Term<'t, F: Real> {
    x: Var<'t, F>,
    labels: Vec<char>,
}

impl<F: Real> Term<'_, F> {
    /// Without diagonals, and without axes of size 1 that another operand has in full.
    #[track_caller]
    fn prepared(mut self, sizes: &BTreeMap<char, usize>) -> Self {
        let twice = |labels: &[char]| (0..labels.len()).find(|&at| labels[at + 1..].contains(&labels[at]));
        while let Some(at) = twice(&self.labels) {
            let label = self.labels[at];
            self = self.diagonal(label);
        }
        let shape = self.x.shape();
        let full = |&at: &usize| shape[at] == sizes[&self.labels[at]];
        let kept: Vec<usize> = (0..shape.len()).filter(full).collect();
        let x = self.x.reshape(&kept.iter().map(|&at| shape[at]).collect::<Vec<_>>());
        Self { x, labels: kept.iter().map(|&at| self.labels[at]).collect() }
    }

    /// The first two axes of this letter as one, which comes last.
    #[track_caller]
    fn diagonal(self, label: char) -> Self {
        let at: Vec<usize> = (0..self.labels.len()).filter(|&at| self.labels[at] == label).take(2).collect();
        let others: Vec<usize> = (0..self.labels.len()).filter(|axis| !at.contains(axis)).collect();
        let order: Vec<isize> = others.iter().chain(&at).map(|&axis| axis as isize).collect();
        let x = self.x.permute(&order);
        let mut shape = x.shape();
        let n = shape.pop().expect("two axes");
        *shape.last_mut().expect("two axes") = n * n;
        let x = x.reshape(&shape).index_select(-1, &(0..n).map(|i| i * (n + 1)).collect::<Vec<_>>());
        Self { x, labels: others.iter().map(|&axis| self.labels[axis]).chain([label]).collect() }
    }

    /// Summed over all axes but those.
    #[track_caller]
    fn summed(self, needed: impl Fn(&char) -> bool) -> Self {
        let (gone, kept): (Vec<usize>, Vec<usize>) =
            (0..self.labels.len()).partition(|&at| !needed(&self.labels[at]));
        if gone.is_empty() {
            return self;
        }
        let axes: Vec<isize> = gone.iter().map(|&axis| axis as isize).collect();
        Self {
            x: self.x.sum_axes(&axes, false),
            labels: kept.iter().map(|&axis| self.labels[axis]).collect(),
        }
    }

    /// The axes in this order.
    #[track_caller]
    fn permuted(&self, order: &[char]) -> Self {
        let place = |label| self.labels.iter().position(|of| of == label).expect("one of its axes") as isize;
        Self { x: self.x.permute(&order.iter().map(place).collect::<Vec<_>>()), labels: order.to_vec() }
    }

    /// The product with another one, summed over what is not needed any more.
    #[track_caller]
    fn times(self, other: Self, needed: impl Fn(&char) -> bool) -> Self {
        let a = self.summed(|label| other.labels.contains(label) || needed(label));
        let b = other.summed(|label| a.labels.contains(label) || needed(label));
        let (both, rows): (Vec<char>, Vec<char>) =
            a.labels.iter().partition(|label| b.labels.contains(label));
        let columns: Vec<char> = b.labels.iter().copied().filter(|label| !both.contains(label)).collect();
        let (batch, inner): (Vec<char>, Vec<char>) = both.iter().partition(|label| needed(label));
        let a = a.permuted(&[&batch[..], &rows, &inner].concat()).x;
        let b = b.permuted(&[&batch[..], &inner, &columns].concat()).x;
        let (a_shape, b_shape) = (a.shape(), b.shape());
        let (batch_shape, a_rest) = a_shape.split_at(batch.len());
        let (row_shape, inner_shape) = a_rest.split_at(rows.len());
        let column_shape = &b_shape[both.len()..];
        let size = |shape: &[usize]| shape.iter().product::<usize>();
        let [m, k, n] = [row_shape, inner_shape, column_shape].map(size);
        let a = a.reshape(&[batch_shape, &[m, k]].concat());
        let b = b.reshape(&[batch_shape, &[k, n]].concat());
        // An outer product, or one of elements, needs no matrices.
        let product = if inner.is_empty() { a * b } else { a.matmul(b) };
        let x = product.reshape(&[batch_shape, row_shape, column_shape].concat());
        Self { x, labels: [batch, rows, columns].concat() }
    }
}

/// The letters of each operand and of the result. The axes of `...` have letters of their own, counted from the last.
#[track_caller]
fn parsed<F: Real>(equation: &str, operands: &[Var<'_, F>]) -> (Vec<Vec<char>>, Vec<char>) {
    let text: String = equation.split_whitespace().collect();
    let (left, right) = text.split_once("->").map_or((&*text, None), |(left, right)| (left, Some(right)));
    let terms: Vec<&str> = left.split(',').collect();
    assert!(
        terms.len() == operands.len() && !operands.is_empty(),
        "`einsum`: `{equation}` is for {} operands, these are {}",
        terms.len(),
        operands.len()
    );
    let mut inputs = Vec::new();
    let mut hidden = 0;
    for (term, operand) in terms.iter().zip(operands) {
        let shape = operand.shape();
        let count = shape.len().saturating_sub(letters(equation, term).count());
        let labels = expanded(equation, term, count);
        assert!(
            labels.len() == shape.len(),
            "`einsum`: `{term}` of `{equation}` does not fit an operand of shape {shape:?}"
        );
        hidden = hidden.max(if term.contains("...") { count } else { 0 });
        inputs.push(labels);
    }
    let output = match right {
        Some(right) => expanded(equation, right, hidden),
        None => implied(&inputs, hidden),
    };
    for (at, label) in output.iter().enumerate() {
        assert!(
            !output[..at].contains(label),
            "`einsum`: `{equation}` has {} twice in the result",
            shown(*label)
        );
    }
    (inputs, output)
}

#[track_caller]
fn letters<'e>(equation: &'e str, term: &'e str) -> impl Iterator<Item = char> + 'e {
    let plain = term.replacen("...", "", 1);
    assert!(
        plain.chars().all(|letter| letter.is_ascii_alphabetic()),
        "`einsum`: `{term}` of `{equation}` is not letters and at most one `...`"
    );
    term.chars().filter(|&letter| letter != '.')
}

/// The letters of a term, `count` of them in the place of `...`.
#[track_caller]
fn expanded(equation: &str, term: &str, count: usize) -> Vec<char> {
    let all: Vec<char> = letters(equation, term).collect();
    let Some(at) = term.find("...") else { return all };
    [&all[..at], &of_dots(count), &all[at..]].concat()
}

/// Private letters, the last axis first in their order.
const DOTS: u32 = 0xe000;

fn of_dots(count: usize) -> Vec<char> {
    (0..count as u32).rev().map(|at| char::from_u32(DOTS + at).expect("a private letter")).collect()
}

/// `...`, then the letters that occur once.
fn implied(inputs: &[Vec<char>], hidden: usize) -> Vec<char> {
    let mut counts = BTreeMap::new();
    inputs.iter().flatten().for_each(|&label| *counts.entry(label).or_insert(0) += 1);
    let once =
        counts.into_iter().filter(|&(label, count)| count == 1 && label.is_ascii()).map(|(label, _)| label);
    of_dots(hidden).into_iter().chain(once).collect()
}

/// The size of each letter; 1 only where it is 1 everywhere.
#[track_caller]
fn sizes<F: Real>(equation: &str, inputs: &[Vec<char>], operands: &[Var<'_, F>]) -> BTreeMap<char, usize> {
    let mut sizes = BTreeMap::new();
    for (labels, operand) in inputs.iter().zip(operands) {
        let mut own = BTreeMap::new();
        for (&label, size) in labels.iter().zip(operand.shape()) {
            let (before, known) = (*own.entry(label).or_insert(size), sizes.entry(label).or_insert(size));
            // A diagonal has two sides of one length.
            let other = if before == size { *known } else { before };
            let fits = before == size && (*known == size || *known == 1 || size == 1);
            assert!(fits, "`einsum`: {} of `{equation}` is {other} and {size}", shown(label));
            *known = if *known == 1 { size } else { *known };
        }
    }
    sizes
}

fn shown(label: char) -> String {
    if label.is_ascii() { format!("`{label}`") } else { "an axis of `...`".to_owned() }
}
