//! Small ONNX files, made where the test is that reads them. Names and numbers of fields are the format's
//! (<https://github.com/onnx/onnx>, `onnx/onnx.proto`).

use prost::Message;

const FLOAT: i32 = 1;
const INT64: i32 = 7;
/// Of an attribute.
const INT: i32 = 2;
const STRING: i32 = 3;

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(int64, tag = "1")]
    ir_version: i64,
    #[prost(message, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<OperatorSet>,
}

#[derive(Clone, PartialEq, Message)]
struct OperatorSet {
    #[prost(int64, tag = "2")]
    version: i64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Node>,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<ValueInfo>,
}

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(string, repeated, tag = "1")]
    input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    output: Vec<String>,
    #[prost(string, tag = "4")]
    op_type: String,
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, tag = "3")]
    i: i64,
    #[prost(bytes = "vec", tag = "4")]
    s: Vec<u8>,
    #[prost(int32, tag = "20")]
    kind: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "vec", tag = "9")]
    raw_data: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct ValueInfo {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, tag = "2")]
    kind: Option<Type>,
}

#[derive(Clone, PartialEq, Message)]
struct Type {
    #[prost(message, tag = "1")]
    tensor: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorType {
    #[prost(int32, tag = "1")]
    element: i32,
    #[prost(message, tag = "2")]
    shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "1")]
    dimension: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
struct Dimension {
    #[prost(int64, optional, tag = "1")]
    value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    name: Option<String>,
}

/// A network of refined graphs and one message: the sum of what its two tables have for the atoms and the directed bonds of a molecule.
pub fn sums(atoms: &[f32], bonds: &[f32]) -> Graph {
    let lists =
        |graph: Graph, names: &[&str], length| names.iter().fold(graph, |graph, name| graph.takes(name, &[length]));
    let graph = lists(Graph::default(), &["atom_0", "atom_count_0", "atom_graph"], "A");
    let graph = lists(graph, &["bond_0", "bond_count_0", "bond_graph"], "E");
    lists(graph, &["bond_1", "bond_count_1", "source_1", "target_1"], "F")
        .floats("atoms", &[atoms.len(), 1], atoms)
        .floats("bonds", &[bonds.len(), 1], bonds)
        .node("Gather", &["atoms", "atom_0"], "of_an_atom", &[])
        .node("Gather", &["bonds", "bond_0"], "of_a_bond", &[])
        .times("of_an_atom", "atom_count_0", "of_atoms")
        .times("of_a_bond", "bond_count_0", "of_bonds")
        .added_up("bond_graph")
}

/// A network of so many features of each atom and of each directed bond: the sum of their products with these weights.
pub fn weighted_sums(atoms: &[f32], bonds: &[f32]) -> Graph {
    let [of_atom, of_bond] = [atoms, bonds].map(|weights| weights.len().to_string());
    Graph::default()
        .takes_floats("atom", &["A", &of_atom])
        .takes_floats("bond", &["E", &of_bond])
        .takes("connectivity", &["E", "2"])
        .takes("graph", &["A"])
        .floats("atoms", &[atoms.len(), 1], atoms)
        .floats("bonds", &[bonds.len(), 1], bonds)
        .integers("zero", &[], &[0])
        .node("MatMul", &["atom", "atoms"], "of_atoms", &[])
        .node("MatMul", &["bond", "bonds"], "of_bonds", &[])
        .node("Gather", &["connectivity", "zero"], "sources", &[("axis", Value::Int(1))])
        .node("Gather", &["graph", "sources"], "graph_of_bonds", &[])
        .node("Identity", &["graph"], "atom_graph", &[])
        .added_up("graph_of_bonds")
}

/// Of an attribute.
#[derive(Clone, Copy)]
enum Value {
    Int(i64),
    Text(&'static str),
}

impl Graph {
    /// What is in each row, as often as its count says.
    fn times(self, rows: &str, counts: &str, product: &str) -> Self {
        let [numbers, column] = ["numbers", "column"].map(|what| format!("{what}_of_{counts}"));
        self.node("Cast", &[counts], &numbers, &[("to", Value::Int(FLOAT.into()))])
            .integers(&format!("last_of_{counts}"), &[1], &[-1])
            .node("Unsqueeze", &[&numbers, &format!("last_of_{counts}")], &column, &[])
            .node("Mul", &[rows, &column], product, &[])
    }

    /// The output: `of_atoms` and `of_bonds`, summed over each molecule by `atom_graph` and the molecule of each bond.
    fn added_up(self, bond_graph: &str) -> Self {
        self.takes("size", &["B"])
            .gives("sums", &["B", "1"])
            .integers("last", &[1], &[-1])
            .integers("one", &[1], &[1])
            .node("Unsqueeze", &["atom_graph", "last"], "row_of_atoms", &[])
            .node("Unsqueeze", &[bond_graph, "last"], "row_of_bonds", &[])
            .node("Shape", &["size"], "molecules", &[])
            .node("Concat", &["molecules", "one"], "shape", &[("axis", Value::Int(0))])
            .node("ConstantOfShape", &["shape"], "zeros", &[])
            .node("ScatterND", &["zeros", "row_of_atoms", "of_atoms"], "half", &[("reduction", Value::Text("add"))])
            .node("ScatterND", &["half", "row_of_bonds", "of_bonds"], "sums", &[("reduction", Value::Text("add"))])
    }

    /// The file.
    pub fn file(self) -> Vec<u8> {
        let opset_import = vec![OperatorSet { version: 18 }];
        let graph = Some(Self { name: "network".to_owned(), ..self });
        Model { ir_version: 9, graph, opset_import }.encode_to_vec()
    }

    /// One more input of whole numbers, or another shape of one that there is. Numbers are fixed dimensions.
    pub fn takes(mut self, name: &str, shape: &[&str]) -> Self {
        self.input.retain(|input| input.name != name);
        self.input.push(value(name, INT64, shape));
        self
    }

    /// The same of an input of floats.
    fn takes_floats(mut self, name: &str, shape: &[&str]) -> Self {
        self.input.retain(|input| input.name != name);
        self.input.push(value(name, FLOAT, shape));
        self
    }

    fn gives(mut self, name: &str, shape: &[&str]) -> Self {
        self.output.push(value(name, FLOAT, shape));
        self
    }

    fn floats(self, name: &str, shape: &[usize], numbers: &[f32]) -> Self {
        self.tensor(name, FLOAT, shape, numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
    }

    fn integers(self, name: &str, shape: &[usize], numbers: &[i64]) -> Self {
        self.tensor(name, INT64, shape, numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
    }

    fn tensor(mut self, name: &str, data_type: i32, shape: &[usize], raw_data: Vec<u8>) -> Self {
        let dims = shape.iter().map(|length| i64::try_from(*length).unwrap()).collect();
        self.initializer.push(Tensor { dims, data_type, name: name.to_owned(), raw_data });
        self
    }

    fn node(mut self, op_type: &str, input: &[&str], output: &str, attributes: &[(&str, Value)]) -> Self {
        let attribute = attributes.iter().map(|(name, value)| {
            let attribute = Attribute { name: (*name).to_owned(), ..Attribute::default() };
            match value {
                Value::Int(i) => Attribute { i: *i, kind: INT, ..attribute },
                Value::Text(s) => Attribute { s: s.as_bytes().to_vec(), kind: STRING, ..attribute },
            }
        });
        self.node.push(Node {
            input: input.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.to_owned()],
            op_type: op_type.to_owned(),
            attribute: attribute.collect(),
        });
        self
    }
}

fn value(name: &str, element: i32, shape: &[&str]) -> ValueInfo {
    let dimension = shape.iter().map(|length| match length.parse() {
        Ok(value) => Dimension { value: Some(value), name: None },
        Err(_) => Dimension { value: None, name: Some((*length).to_owned()) },
    });
    let tensor = TensorType { element, shape: Some(Shape { dimension: dimension.collect() }) };
    ValueInfo { name: name.to_owned(), kind: Some(Type { tensor: Some(tensor) }) }
}
