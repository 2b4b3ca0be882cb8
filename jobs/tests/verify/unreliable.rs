//! Pods that hang, break off, are not there, or are not there yet.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};

use chemmodel_bundle::verification::VerifyReason;
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;

use crate::bundle::Bundle;
use crate::fleet::{CPU, Fleet, Reply, honest};
use crate::process::wait_for;
use crate::run::Verify;

/// A port at which nothing listens, and which nobody else can get meanwhile.
struct Closed(TcpSocket);

impl Closed {
    fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self(socket)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// From now on it does.
    fn open(self, runtime: &Runtime) -> TcpListener {
        let listener = runtime.block_on(async { self.0.listen(16) }).unwrap().into_std().unwrap();
        listener.set_nonblocking(false).unwrap();
        listener
    }
}

#[test]
fn a_pod_that_hangs_ends_the_run_when_its_answer_is_due() {
    let bundle = Bundle::default();
    let fleet =
        Fleet::of(bundle.path(), Box::new(|asked, answer| if asked.alone { answer.into() } else { Reply::Never }));
    let ended = Verify::of(bundle.path(), &fleet).args(&["--answer-seconds", "1"]).run();
    ended
        .assert_failed(VerifyReason::NotAnswered, &["pod bp-0, asked for a list of 3", "within 1 s", "log of the pod"]);
    assert_eq!((ended.code, ended.failed().figures.as_ref().unwrap().answers), (35, 3));
}

#[test]
fn a_run_that_takes_too_long_as_a_whole_ends_with_what_it_has() {
    let bundle = Bundle::default();
    let fleet =
        Fleet::of(bundle.path(), Box::new(|asked, answer| if asked.alone { answer.into() } else { Reply::Never }));
    let ended = Verify::of(bundle.path(), &fleet).args(&["--timeout-seconds", "3"]).run();
    ended.assert_failed(VerifyReason::NotAnswered, &["timeoutSeconds"]);
    assert_eq!(ended.failed().figures.as_ref().unwrap().answers, 3);
}

#[test]
fn a_port_that_stays_closed_is_unreachable_and_worth_another_try() {
    let bundle = Bundle::default();
    let fleet = Fleet::of(bundle.path(), honest());
    // The metrics answer, the predictions do not.
    let closed = Closed::new();
    let pod = format!("bp-0={}", closed.address());
    let ended = Verify::without_pods(bundle.path(), &fleet).args(&["--pod", &pod, "--timeout-seconds", "3"]).run();
    ended.assert_failed(VerifyReason::Unreachable, &["pod bp-0", "refused", "NetworkPolicies"]);
    assert_eq!((ended.code, ended.failed().retryable), (10, true));
}

#[test]
fn a_service_that_leads_nowhere_is_unreachable() {
    let bundle = Bundle::default();
    let fleet = Fleet::of(bundle.path(), honest());
    let closed = Closed::new();
    for service in [format!("http://{}", closed.address()), "http://bp-preview.invalid".to_owned()] {
        let ended = Verify::elsewhere(bundle.path(), &fleet, &service).args(&["--timeout-seconds", "3"]).run();
        ended.assert_failed(VerifyReason::Unreachable, &["the Service http://", &service]);
        assert_eq!(ended.failed().figures.as_ref().unwrap().answers, 6);
    }
}

#[test]
fn a_service_that_answers_only_after_a_while_is_waited_for() {
    let bundle = Bundle::default();
    let fleet = Fleet::of(bundle.path(), honest());
    let closed = Closed::new();
    let running = Verify::elsewhere(bundle.path(), &fleet, &format!("http://{}", closed.address())).start();
    wait_for("a connection that is refused", || running.stderr().contains("trying again"));
    // Now it is there, and leads to the pod.
    let runtime = Runtime::new().unwrap();
    let (listener, pod) = (closed.open(&runtime), fleet.pods[0].address);
    std::thread::spawn(move || forward(&listener, pod));
    let ended = running.wait();
    assert_eq!(ended.passed().answers, 9);
}

/// Passes connections on, each in both directions.
fn forward(listener: &TcpListener, to: SocketAddr) {
    for client in listener.incoming().map_while(Result::ok) {
        let server = std::net::TcpStream::connect(to).unwrap();
        for (mut from, mut into) in [
            (client.try_clone().unwrap(), server.try_clone().unwrap()),
            (server.try_clone().unwrap(), client.try_clone().unwrap()),
        ] {
            std::thread::spawn(move || std::io::copy(&mut from, &mut into));
        }
    }
}

#[test]
fn a_connection_that_breaks_before_the_answer_is_no_answer() {
    let bundle = Bundle::default();
    let fleet = Fleet::of(bundle.path(), honest());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let pod = format!("bp-0={}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let _ = client.read(&mut [0; 1024]);
        }
    });
    let ended = Verify::without_pods(bundle.path(), &fleet).args(&["--pod", &pod]).run();
    ended.assert_failed(VerifyReason::NotAnswered, &["pod bp-0", "the connection broke"]);
}

#[test]
fn a_run_told_to_stop_says_so_and_is_worth_another_try() {
    let bundle = Bundle::default();
    let fleet = Fleet::start(bundle.path(), vec![(Box::new(|_, _| Reply::Never), CPU)], honest());
    let running = Verify::of(bundle.path(), &fleet).start();
    wait_for("the first question", || !fleet.pods[0].seen().is_empty());
    running.terminate();
    let ended = running.wait();
    ended.assert_failed(VerifyReason::Unreachable, &["SIGTERM", "asks again"]);
    assert_eq!((ended.code, ended.failed().figures.as_ref().unwrap().molecules), (10, 3));
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let bundle = Bundle::default();
    let fleet = Fleet::of(bundle.path(), honest());
    let closed = Closed::new();
    let proxy = format!("http://{}", closed.address());
    Verify::of(bundle.path(), &fleet).env("http_proxy", &proxy).env("HTTP_PROXY", &proxy).run().passed();
}

#[test]
fn a_wrong_answer_counts_even_when_another_pod_is_not_there() {
    let bundle = Bundle::default();
    let wrong = crate::fleet::changing(|asked, answer| {
        if asked.alone {
            answer["prediction"] = serde_json::json!(0.0);
        }
    });
    let fleet = Fleet::of(bundle.path(), wrong);
    let closed = Closed::new();
    let ended = Verify::of(bundle.path(), &fleet).args(&["--pod", &format!("bp-1={}", closed.address())]).run();
    ended.assert_failed(VerifyReason::GoldenMismatch, &["pod bp-0"]);
}

#[test]
fn an_endless_answer_is_cut_off() {
    let bundle = Bundle::default();
    let body = "x".repeat(5 << 20);
    let fleet = Fleet::of(bundle.path(), Box::new(move |_, _| Reply::Send(axum::http::StatusCode::OK, body.clone())));
    let ended = Verify::of(bundle.path(), &fleet).run();
    ended.assert_failed(VerifyReason::NotAnswered, &["more than 4194304 bytes"]);
}
