//! Services of containers on a sky of real nodes, as far as this machine has an engine.

use crate::engine::sky_with_image;
use anyhow::{Context, Result, ensure};
use opensky_e2e::{Sky, until};
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::Output,
    time::Duration,
};

/// How long a request waits for an answer: longer than a service may be away (issue 4).
const PATIENCE: Duration = Duration::from_secs(20);

fn screen(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A page of one line, by a server that is a few lines of shell.
fn page_service(name: &str, page: &str, replicas: u16, more: &str) -> String {
    format!(
        r#"
[[service]]
name = "{name}"
image = "image.tar"
args = ["sh", "-c", "mkdir /tmp/www; echo {page} > /tmp/www/index.html; echo serving {page}; exec busybox httpd -f -p 8080 -h /tmp/www"]
ports = [8080]
publish = ["8080"]
health = {{ http = "/", interval = "500ms", failures = 3 }}
replicas = {replicas}
resources = {{ memory = "32MiB", scratch = "16MiB" }}
stop = "2s"
{more}
"#
    )
}

fn write(sky: &Sky, name: &str, text: &str) -> Result<String> {
    let path = sky.folder().join(name);
    std::fs::write(&path, text)?;
    Ok(path.display().to_string())
}

fn start(sky: &Sky, file: &str) -> Result<()> {
    let output = sky.nodes[0].call(&["service", "run", file])?;
    ensure!(output.status.success(), "{}", screen(&output));
    Ok(())
}

/// Where the first node leads to a service.
fn address(sky: &Sky, name: &str) -> Result<SocketAddr> {
    let view = sky.nodes[0].json(&["service", "show", name])?;
    let listen = view["open_ports"][0]["listen"].as_str().context("a port is open")?;
    Ok(listen.parse()?)
}

/// Head and body of the answer to a request.
fn ask(address: SocketAddr, request: &str) -> Result<(String, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer has a head")?;
    Ok((head.to_owned(), body.to_owned()))
}

/// The body of the page at `address`.
fn page(address: SocketAddr) -> Result<String> {
    let (head, body) = ask(address, "GET / HTTP/1.0\r\n\r\n")?;
    ensure!(head.contains(" 200 "), "{head}");
    Ok(body.trim().to_owned())
}

fn replicas(view: &Value) -> Vec<(String, String)> {
    let all = view["replicas"].as_array().into_iter().flatten();
    let healthy = all.filter(|replica| replica["state"] == "healthy" && replica["lost"] == false);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    healthy.map(|replica| (text(&replica["node"]), text(&replica["replica"]))).collect()
}

#[tokio::test]
async fn c10_a_service_is_reached_from_every_node_and_updated_while_it_answers() -> Result<()> {
    let Some((sky, _)) = sky_with_image("a service is reached from every node", 3, &[]).await? else {
        return Ok(());
    };
    let file = write(&sky, "web.toml", &page_service("web", "one", 2, ""))?;
    start(&sky, &file)?;
    let address = address(&sky, "web")?;
    assert_eq!(page(address)?, "one");
    let view = sky.nodes[0].json(&["service", "show", "web"])?;
    let hosts = replicas(&view);
    assert_eq!(hosts.len(), 2, "{view}");
    assert_ne!(hosts[0].0, hosts[1].0, "two replicas on two nodes");

    // From another node, at an address of its own.
    until("another node knows the service", async || {
        let services = sky.nodes[2].json(&["service", "list"])?;
        Ok(services["services"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "web")))
    })
    .await?;
    let open = sky.nodes[2].json(&["service", "open", "web", "8080"])?;
    let there: SocketAddr = open["listen"].as_str().context("an address")?.parse()?;
    assert_eq!(page(there)?, "one");
    let foreign = sky.nodes[2].call(&["service", "remove", "web", "--yes"])?;
    assert!(screen(&foreign).contains("only its owner's node"), "{}", screen(&foreign));

    // What it writes is read, whichever node it runs on.
    let log = sky.nodes[0].call(&["service", "logs", "web"])?;
    let lines = String::from_utf8_lossy(&log.stdout).into_owned();
    assert!(lines.contains("0 | serving one") && lines.contains("1 | serving one"), "{lines}");

    // Asked all the time, it always answers, with the old page or the new one.
    let asking = std::thread::spawn(move || -> Result<(usize, usize)> {
        let (mut old, mut new) = (0, 0);
        while new < 20 {
            match page(there)?.as_str() {
                "one" => old += 1,
                "two" => new += 1,
                other => anyhow::bail!("an unknown page: {other}"),
            }
        }
        Ok((old, new))
    });
    let file = write(&sky, "web.toml", &page_service("web", "two", 2, ""))?;
    start(&sky, &file)?;
    let (old, new) = asking.join().expect("the asking thread does not panic")?;
    assert!(old > 0 && new >= 20, "{old} old pages and {new} new ones, none lost");
    Ok(())
}

#[tokio::test]
async fn c10_f12_a_killed_host_is_replaced_and_a_bad_update_rolled_back() -> Result<()> {
    let Some((mut sky, _)) = sky_with_image("a killed host is replaced", 3, &[]).await? else {
        return Ok(());
    };
    let own = sky.nodes[0].id().await?.to_string();
    let elsewhere = format!("constraints = {{ exclude_peers = [\"{own}\"] }}");
    let file = write(&sky, "web.toml", &page_service("web", "one", 1, &elsewhere))?;
    start(&sky, &file)?;
    let address = address(&sky, "web")?;
    assert_eq!(page(address)?, "one");
    let view = sky.nodes[0].json(&["service", "show", "web"])?;
    let (host, _) = replicas(&view).first().cloned().context("one answers")?;
    for node in &mut sky.nodes {
        if node.id().await?.to_string() == host {
            node.kill()?;
        }
    }
    // The request waits for the replica that takes over.
    let died_at = std::time::Instant::now();
    assert_eq!(page(address)?, "one");
    eprintln!("the service answers again {:?} after its host was killed", died_at.elapsed());

    let bad = page_service("web", "two", 1, &elsewhere)
        .replace("exec busybox httpd", "echo no such table; exit 3; httpd");
    let file = write(&sky, "bad.toml", &bad)?;
    let output = sky.nodes[0].call(&["service", "run", &file])?;
    assert_eq!(output.status.code(), Some(4), "{}", screen(&output));
    assert!(screen(&output).contains("no such table"), "its own words are shown: {}", screen(&output));
    assert_eq!(page(address)?, "one", "the revision before goes on");
    let output = sky.nodes[0].call(&["service", "remove", "web", "--yes"])?;
    assert!(output.status.success(), "{}", screen(&output));
    until("the service is gone", async || {
        let services = sky.nodes[0].json(&["service", "list"])?;
        Ok(services["services"].as_array().is_some_and(Vec::is_empty))
    })
    .await
}

#[tokio::test]
async fn c10_compose_services_reach_each_other_by_name_and_nothing_else() -> Result<()> {
    let Some((sky, _)) = sky_with_image("Compose services reach each other", 2, &[]).await? else {
        return Ok(());
    };
    let archive = sky.folder().join("image.tar").display().to_string();
    let kept = sky.nodes[0].call(&["image", "push", &archive, "--name", "tools"])?;
    ensure!(kept.status.success(), "{}", screen(&kept));
    // The front asks the back by its name, and then what it must not reach.
    let front = "mkdir /tmp/www; while true; do wget -q -O /tmp/www/index.html http://back:8080/; \
                 wget -q -T 2 -O /tmp/escaped http://169.254.169.254/ && echo escaped > /tmp/www/index.html; \
                 sleep 1; done & exec busybox httpd -f -p 8081 -h /tmp/www";
    let compose = format!(
        r#"
services:
  front:
    image: sky:tools
    command: ["sh", "-c", "{}"]
    ports: ["8081"]
    depends_on: [back]
    mem_limit: 32m
  back:
    image: sky:tools
    command: ["sh", "-c", "mkdir /tmp/www; echo from the back > /tmp/www/index.html; exec busybox httpd -f -p 8080 -h /tmp/www"]
    expose: ["8080"]
    mem_limit: 32m
"#,
        front.replace("wget", "busybox wget").replace("mkdir", "busybox mkdir")
    );
    let file = write(&sky, "compose.yaml", &compose.replace("\"mkdir", "\"busybox mkdir"))?;
    let output = sky.nodes[0].call(&["compose", "--file", &file, "up"])?;
    ensure!(output.status.success(), "{}", screen(&output));
    let address = address(&sky, "front")?;
    until("the front has the page of the back", async || {
        Ok(page(address).is_ok_and(|page| page == "from the back"))
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(page(address)?, "from the back", "nothing else was reached");

    // Applied again, nothing changes; what cannot be done is said before anything starts.
    let again = sky.nodes[0].call(&["apply", &file])?;
    ensure!(again.status.success(), "{}", screen(&again));
    assert!(screen(&again).contains("front: is as it should be"), "{}", screen(&again));
    let volumes = compose.replace("    expose:", "    volumes: [\"./data:/data\"]\n    expose:");
    let wrong = write(&sky, "volumes.compose.yaml", &volumes)?;
    let refused = sky.nodes[0].call(&["compose", "--file", &wrong, "up"])?;
    assert_eq!(refused.status.code(), Some(7), "{}", screen(&refused));
    assert!(screen(&refused).contains("volumes"), "{}", screen(&refused));
    let output = sky.nodes[0].call(&["compose", "--file", &file, "down", "--yes"])?;
    ensure!(output.status.success(), "{}", screen(&output));
    Ok(())
}

/// A server that shows a counter in its volume, one higher after each start.
fn counting_service(more: &str) -> String {
    format!(
        r#"
[[service]]
name = "counter"
image = "image.tar"
args = ["sh", "-c", "cd /var/lib/counter; echo $(($(cat index.html 2>/dev/null || echo 0) + 1)) > index.html; exec busybox httpd -f -p 8080 -h ."]
ports = [8080]
publish = ["8080"]
health = {{ http = "/", interval = "500ms", failures = 3 }}
resources = {{ memory = "32MiB", scratch = "16MiB" }}
volumes = {{ data = {{ path = "/var/lib/counter", size = "16MiB" }} }}
saving = {{ every = "1s", wait = "5s" }}
stop = "2s"
{more}
"#
    )
}

#[tokio::test]
async fn c10_f12_a_volume_goes_along_with_updates_and_outlives_its_host() -> Result<()> {
    let Some((mut sky, _)) = sky_with_image("a volume outlives its host", 3, &[]).await? else {
        return Ok(());
    };
    let own = sky.nodes[0].id().await?.to_string();
    let elsewhere = format!("constraints = {{ exclude_peers = [\"{own}\"] }}");
    let file = write(&sky, "counter.toml", &counting_service(&elsewhere))?;
    start(&sky, &file)?;
    let address = address(&sky, "counter")?;
    assert_eq!(page(address)?, "1");

    // The next revision goes on where this one ends.
    let file =
        write(&sky, "counter.toml", &counting_service(&format!("env = {{ A = \"b\" }}\n{elsewhere}")))?;
    start(&sky, &file)?;
    assert_eq!(page(address)?, "2");
    // The first that it tells of is what it began with.
    let saved = async || {
        let view = sky.nodes[0].json(&["service", "show", "counter"])?;
        anyhow::Ok((view["replicas"][0]["saved"].clone(), view["replicas"][0]["revision"] == 2))
    };
    let (first, _) = saved().await?;
    until("what it wrote is held by its owner's node", async || {
        let (now, is_second) = saved().await?;
        Ok(is_second && now["held"] == true && now["at"] != first["at"])
    })
    .await?;
    let shown = sky.nodes[0].call(&["service", "show", "counter"])?;
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("data at /var/lib/counter, 16 MiB") && text.contains("SAVED"), "{text}");

    // Its host is gone for good: another one goes on with what was saved.
    let view = sky.nodes[0].json(&["service", "show", "counter"])?;
    let (host, _) = replicas(&view).first().cloned().context("one answers")?;
    for node in &mut sky.nodes {
        if node.id().await?.to_string() == host {
            node.kill()?;
        }
    }
    until("it answers again", async || {
        let counted = page(address).ok().and_then(|page| page.parse::<u32>().ok());
        Ok(counted.is_some_and(|counted| counted >= 3))
    })
    .await
}

#[tokio::test]
async fn c10_nobody_waits_long_for_what_never_runs() -> Result<()> {
    let Some((sky, _)) = sky_with_image("nobody waits long for what never runs", 1, &[]).await? else {
        return Ok(());
    };
    let text =
        page_service("web", "one", 1, "").replace("exec busybox httpd", "echo no such table; exit 3; httpd");
    let file = write(&sky, "web.toml", &text)?;
    let output = sky.nodes[0].call(&["service", "run", &file])?;
    assert_eq!(output.status.code(), Some(4), "{}", screen(&output));
    let said = screen(&output);
    assert!(said.contains("it failed") && said.contains("no such table"), "{said}");
    assert!(said.contains("opensky service show web"), "{said}");
    Ok(())
}

#[tokio::test]
async fn c10_a_component_answers_http_from_every_node_and_needs_no_container_engine() -> Result<()> {
    let sky = Sky::start(2).await?;
    let hello = opensky_e2e::repository("examples/services/hello-http.wasm").display().to_string();
    let output = sky.nodes[0].call(&["service", "run", &hello, "--publish", "80", "--replicas", "2"])?;
    ensure!(output.status.success(), "{}", screen(&output));
    assert_eq!(page(address(&sky, "hello-http")?)?, "hello from OpenSky");
    until("another node knows the service", async || {
        let services = sky.nodes[1].json(&["service", "list"])?;
        Ok(services["services"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["name"] == "hello-http")))
    })
    .await?;
    let open = sky.nodes[1].json(&["service", "open", "hello-http", "80"])?;
    let there: SocketAddr = open["listen"].as_str().context("an address")?.parse()?;
    for _ in 0..8 {
        assert_eq!(page(there)?, "hello from OpenSky");
    }
    Ok(())
}

/// They need no engine.
#[tokio::test]
async fn c7_c10_templates_of_services_run_as_they_come() -> Result<()> {
    let sky = Sky::start(2).await?;
    for (template, name) in [("web-service", "web"), ("static-site", "site")] {
        let folder = sky.folder().join(template);
        let made = sky.nodes[0].json(&["new", template, &folder.display().to_string()])?;
        start(&sky, made["file"].as_str().context("new says where the file is")?)?;
        page(address(&sky, name)?)?;
    }
    assert_eq!(page(address(&sky, "web")?)?, "hello from OpenSky");
    let site = address(&sky, "site")?;
    assert!(page(site)?.contains("<h1>A site on OpenSky</h1>"));
    let (head, body) = ask(site, "GET /nothing HTTP/1.0\r\n\r\n")?;
    assert!(head.contains(" 404 ") && body.contains("<h1>Nothing here</h1>"), "{head}");

    // Applied again, nothing would change; with another page, something would.
    let pages = sky.folder().join("static-site/site");
    let file = sky.folder().join("static-site/service.toml").display().to_string();
    let would = |word: &str| -> Result<()> {
        let said = sky.nodes[0].json(&["apply", &file, "--dry-run"])?;
        assert_eq!(said[0]["change"], word, "{said}");
        Ok(())
    };
    would("none")?;

    // The next revision of the folder is what is seen next.
    std::fs::write(pages.join("about.html"), "<p>another one</p>")?;
    would("update")?;
    start(&sky, &file)?;
    let (_, body) = ask(site, "GET /about HTTP/1.0\r\n\r\n")?;
    assert_eq!(body, "<p>another one</p>");

    // A folder without a first page starts nothing.
    let other =
        sky.nodes[0].call(&["service", "run", &sky.folder().join("web-service").display().to_string()])?;
    assert_eq!(other.status.code(), Some(7), "{}", screen(&other));
    assert!(screen(&other).contains("there is no index.html in it"), "{}", screen(&other));
    Ok(())
}
