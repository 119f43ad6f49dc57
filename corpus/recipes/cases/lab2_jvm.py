"""Java, Kotlin, Scala and Groovy: Maven, Gradle, Ant and the compilers themselves."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Recipe
from ..projects import case, java, maven_pom, prefixed

MVN = "mvn -B -o -s /etc/maven/settings-debian.xml"
NEEDS = ("mvn:maven", "/usr/share/maven-repo/org/apache/maven/plugins/maven-surefire-plugin/2.22.3:libsurefire-java", "/usr/share/java/junit-jupiter.jar:junit5")
MV, GV, JV = "!mvn --version", "!gradle --version | grep Gradle", "!java -version"
GRADLE = "apply plugin: 'java'\nversion = '1.4.2'\n"
SOURCES = java((), style="")
NEWER = "/usr/lib/jvm/temurin-25-jdk-amd64"


def _dependency(group: str, name: str, version: str) -> str:
    return f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"


def _dependencies() -> Iterator[Recipe]:
    c = "maven-dependency"
    words = r"Could not resolve (dependencies for project|all (files|artifacts|dependencies) for configuration)|Could not find artifact|Could not transfer artifact|Could not find [\w.-]+:[\w.-]+:|Cannot access .* in offline mode"
    absent = maven_pom(dependencies=_dependency("org.acme.platform", "acme-client", "3.2.0") + _dependency("commons-io", "commons-io", "99.1"))
    yield from case("maven-offline", c, "maven", ("mvn --version", f"{MVN} test"), words, ("gitlab", "github", "travis"), files={**java(()), "pom.xml": absent}, version=MV, needs=NEEDS)
    modules = {
        "pom.xml": "<project><modelVersion>4.0.0</modelVersion><groupId>org.acme</groupId><artifactId>parent</artifactId><version>1.4.2</version><packaging>pom</packaging><modules><module>core</module><module>web</module></modules></project>\n",
        **{f"core/{k}": v for k, v in java((), count=6).items()},
        "core/pom.xml": maven_pom(),
        "web/pom.xml": maven_pom(dependencies=_dependency("org.acme", "shop", "1.4.2-SNAPSHOT")).replace("<artifactId>shop</artifactId>\n  <version>", "<artifactId>web</artifactId>\n  <version>", 1),
        "web/src/main/java/org/acme/web/Main.java": "package org.acme.web;\n\npublic class Main {\n    public static void main(String[] args) { System.out.println(org.acme.shop.TaxAmount.of(1, 2)); }\n}\n",
    }
    yield from case("maven-module", c, "maven", (f"{MVN} package -DskipTests",), words, ("jenkins", "azure"), files=modules, version=MV, needs=NEEDS, family="maven-module", forbid="No plugin found")
    gradle = GRADLE + "repositories { mavenLocal()\n  jcenter() }\ndependencies { compile 'com.acme:billing-client:4.1.0'\n  compile 'org.acme:core:2.+' }\n"
    yield from case("gradle-offline", c, "gradle", ("gradle --offline --no-daemon build",), words, ("gitlab", "github", "xtrace"), files={**SOURCES, "build.gradle": gradle}, version=GV, needs=("gradle",))
    flat = GRADLE + "repositories { flatDir { dirs 'libs' } }\ndependencies { compile ':acme-sdk:1.9' }\n"
    yield from case(
        "gradle-flat", c, "gradle", ("gradle --no-daemon assemble",), words, ("travis", "azure"), files={**SOURCES, "build.gradle": flat, "libs/README": "The SDK goes here.\n"}, version=GV, needs=("gradle",), family="gradle-flat"
    )

    c = "maven-project-invalid"
    words = r"MissingProjectException|Non-resolvable parent POM|ProjectBuildingException|No plugin found for prefix|Unknown lifecycle phase|Task '.*' not found in|Non-parseable POM|Could not compile build file|Plugin with id .* not found|Could not find method|Malformed POM|does not contain a Gradle build|Buildfile: .* does not exist|Target \".*\" does not exist"
    ok = {**java(()), "pom.xml": maven_pom()}
    yield from case("pom-absent", c, "maven", ("ls", f"{MVN} package"), words, ("gitlab", "github"), files=SOURCES, version=MV)
    yield from case("pom-broken", c, "maven", ("mvn --version", f"{MVN} verify"), words, ("jenkins",), files={**SOURCES, "pom.xml": maven_pom().replace("</dependencies>", "</dependancies>", 1)}, version=MV)
    yield from case(
        "pom-parent",
        c,
        "maven",
        (f"{MVN} test",),
        words,
        ("travis", "gitlab"),
        files={**SOURCES, "pom.xml": maven_pom(head="\n  <parent><groupId>org.acme</groupId><artifactId>acme-parent</artifactId><version>7</version></parent>")},
        version=MV,
        family="maven-parent",
    )
    yield from case("pom-prefix", c, "maven", (f"{MVN} compile", f"{MVN} jib:build"), words, ("azure",), files=ok, version=MV, needs=NEEDS, family="maven-prefix")
    yield from case("pom-phase", c, "maven", (f"{MVN} compile", f"{MVN} publish"), words, ("make", "github"), files=ok, version=MV, needs=NEEDS, family="maven-phase")
    yield from case("gradle-task", c, "gradle", ("gradle --no-daemon classes", "gradle --no-daemon bootJar"), words, ("gitlab", "jenkins"), files={**SOURCES, "build.gradle": GRADLE}, version=GV, needs=("gradle",))
    yield from case("gradle-plugin", c, "gradle", ("gradle --no-daemon build",), words, ("xtrace",), files={**SOURCES, "build.gradle": "apply plugin: 'org.acme.release'\n" + GRADLE}, version=GV, needs=("gradle",), family="gradle-plugin")
    yield from case(
        "gradle-dsl",
        c,
        "gradle",
        ("gradle --no-daemon build",),
        words,
        ("github",),
        files={**SOURCES, "build.gradle": GRADLE + "dependencies {\n    implementation platform('org.acme:bom:1.0')\n    testImplementation libs.junit\n"},
        version=GV,
        needs=("gradle",),
        family="gradle-dsl",
    )
    yield from case(
        "ant-target",
        c,
        "ant",
        ("ant -version", "ant compile", "ant deploy"),
        words,
        ("travis",),
        files={**SOURCES, "build.xml": "<project name='shop' default='compile'>\n<target name='compile'><mkdir dir='build'/><javac srcdir='src/main/java' destdir='build' includeantruntime='false'/></target>\n</project>\n"},
        version="!ant -version",
        needs=("ant",),
    )


def _compile() -> Iterator[Recipe]:
    c = "java-compile-error"
    words = r"COMPILATION ERROR|cannot find symbol|error: .*|Execution failed for task ':compile\w+'|incompatible types"
    symbol = {
        "src/main/java/org/acme/shop/Checkout.java": "package org.acme.shop;\n\nimport java.util.List;\n\npublic class Checkout {\n    private final List<Order> orders = List.of();\n\n    public int total() {\n        return orders.stream().mapToInt(Order::amount).sum() + TaxAmount.off(2, 3);\n    }\n}\n"
    }
    types = {"src/main/java/org/acme/shop/Report.java": 'package org.acme.shop;\n\npublic class Report {\n    public String title() {\n        int total = "twelve";\n        final String name;\n        return total + name\n    }\n}\n'}
    lint = {
        "src/main/java/org/acme/shop/Report.java": 'package org.acme.shop;\n\nimport java.util.ArrayList;\n\npublic class Report {\n    public ArrayList names() {\n        ArrayList names = new ArrayList();\n        names.add("a");\n        return names;\n    }\n}\n'
    }
    yield from case(
        "javac-maven", c, "maven", ("mvn --version", f"{MVN} compile"), words, ("gitlab", "github"), files={**java(()), **symbol, "pom.xml": maven_pom()}, version=MV, needs=NEEDS, key="ERROR.*cannot find symbol|COMPILATION ERROR"
    )
    yield from case("javac-maven-syntax", c, "maven", (f"{MVN} -e package",), words, ("jenkins",), files={**java(()), **types, "pom.xml": maven_pom()}, version=MV, needs=NEEDS, family="maven-syntax", key="COMPILATION ERROR")
    test = {"src/test/java/org/acme/shop/CheckoutTest.java": "package org.acme.shop;\n\nclass CheckoutTest {\n    void t() { Mockito.mock(TaxAmount.class); new Checkout(); }\n}\n"}
    yield from case("javac-maven-test", c, "maven", (f"{MVN} verify",), words, ("travis",), files={**java(()), **test, "pom.xml": maven_pom()}, version=MV, needs=NEEDS, family="maven-test-compile", key="COMPILATION ERROR")
    yield from case("javac-gradle", c, "gradle", ("gradle --version", "gradle --no-daemon build"), words, ("gitlab", "azure"), files={**SOURCES, **symbol, "build.gradle": GRADLE}, version=GV, needs=("gradle",), key="error: ")
    yield from case("javac", c, "javac", ("java -version", "mkdir out", "javac -Xlint:all -d out $(find src -name '*.java')"), r"\.java:\d+: error: ", ("github", "make"), files={**SOURCES, **types}, version=JV)
    yield from case("javac-werror", c, "javac", ("mkdir out", "javac -Xlint:all -Werror -d out $(find src -name '*.java')"), r"error: warnings found and -Werror", ("xtrace",), files={**SOURCES, **lint}, version=JV, family="javac-werror")
    yield from case(
        "javac-ant",
        c,
        "ant",
        ("ant",),
        r"error: |Compile failed",
        ("jenkins",),
        files={**SOURCES, **symbol, "build.xml": "<project name='shop' default='compile'>\n<target name='compile'><mkdir dir='build'/><javac srcdir='src/main/java' destdir='build' includeantruntime='false'/></target>\n</project>\n"},
        version="!ant -version",
        needs=("ant",),
    )
    kotlin = {f"src/Unit{i}.kt": f"package org.acme.shop\n\nfun unit{i}(a: Int, b: Int): Int {{\n    val unused = 1\n    return a * b + {i}\n}}\n" for i in range(8)} | {
        "src/Main.kt": 'package org.acme.shop\n\nfun main() {\n    val total: Int = "12"\n    println(unit3(1, 2) + totals(4))\n}\n'
    }
    yield from case("kotlinc", c, "kotlinc", ("kotlinc -version", "kotlinc src -d app.jar"), r"\.kt:\d+:\d+: error: ", ("gitlab", "travis"), files=kotlin, version="!kotlinc -version", needs=("kotlinc:kotlin",))
    scala = {f"src/Unit{i}.scala": f"package org.acme.shop\n\nobject Unit{i} {{\n  def of(a: Int, b: Int): Int = a * b + {i}\n}}\n" for i in range(8)} | {
        "src/Main.scala": 'package org.acme.shop\n\nobject Main extends App {\n  val total: Int = "12"\n  println(Unit3.off(1, 2))\n}\n'
    }
    yield from case(
        "scalac", c, "scalac", ("mkdir out", "scalac -verbose -d out src/*.scala 2>&1 | grep -v '^.loaded'; exit ${PIPESTATUS[0]}"), r"\.scala:\d+: error: ", ("github",), files=scala, version="!scalac -version", needs=("scalac:scala",)
    )

    c = "java-version-mismatch"
    words = r"UnsupportedClassVersionError|invalid target release|release version \d+ not supported|Unsupported class file major version|JAVA_HOME is not set|class file has wrong version|Could not determine java version|invalid source release|JAVA_HOME (environment variable )?is (not )?(defined|set to an invalid)"
    yield from case("release", c, "maven", ("mvn --version", f"{MVN} compile"), words, ("gitlab", "github"), files={**java(()), "pom.xml": maven_pom(release="21")}, version=MV, needs=NEEDS)
    yield from case("release-javac", c, "javac", ("java -version", "mkdir out", "javac --release 23 -d out $(find src -name '*.java')"), words, ("jenkins",), files=SOURCES, version=JV, key="error: release|invalid")
    yield from case(
        "release-ant",
        c,
        "ant",
        ("ant",),
        words,
        ("make",),
        files={
            **SOURCES,
            "build.xml": "<project name='shop' default='compile'>\n<target name='compile'><mkdir dir='build'/><javac srcdir='src/main/java' destdir='build' source='21' target='21' includeantruntime='false'/></target>\n</project>\n",
        },
        version="!ant -version",
        needs=("ant",),
    )
    newer = f"mkdir out; {NEWER}/bin/javac -d out $(find src -name '*.java'); {NEWER}/bin/jar -cfe app.jar org.acme.shop.Main -C out . ; rm -r out\n"
    main = {"src/main/java/org/acme/shop/Main.java": "package org.acme.shop;\n\npublic class Main {\n    public static void main(String[] args) { System.out.println(TaxAmount.of(1, 2)); }\n}\n"}
    yield from case("class-version", c, "java", ("java -version", "ls -l app.jar", "java -jar app.jar --check"), words, ("gitlab", "travis"), files={**SOURCES, **main}, setup=newer, version=JV, needs=(f"{NEWER}/bin/javac:openjdk-25-jdk",))
    yield from case(
        "class-wrong",
        c,
        "javac",
        ("java -version", "mkdir build", "javac -d build -cp app.jar App.java"),
        words,
        ("azure", "github"),
        files={**SOURCES, **main, "App.java": "import org.acme.shop.TaxAmount;\n\npublic class App {\n    public static void main(String[] args) { System.out.println(TaxAmount.of(1, 2)); }\n}\n"},
        setup=newer,
        version=JV,
        family="javac-wrong-class",
        needs=(f"{NEWER}/bin/javac:openjdk-25-jdk",),
    )
    yield from case(
        "gradle-new-java",
        c,
        "gradle",
        ("java -version", "gradle --no-daemon build"),
        words,
        ("gitlab", "xtrace"),
        files={**SOURCES, "build.gradle": GRADLE},
        setup=f"export JAVA_HOME={NEWER} PATH={NEWER}/bin:$PATH\n",
        version=GV,
        needs=("gradle", f"{NEWER}/bin/javac:openjdk-25-jdk"),
    )
    yield from case(
        "gradle-target",
        c,
        "gradle",
        ("gradle --no-daemon build",),
        words,
        ("jenkins",),
        files={**SOURCES, "build.gradle": GRADLE + "sourceCompatibility = 17\ncompileJava { options.compilerArgs = ['--release', '21'] }\n"},
        version=GV,
        needs=("gradle",),
        family="gradle-target",
    )
    yield from case("java-home", c, "maven", ("ls", f"{MVN} package"), words, ("travis",), files={**java(()), "pom.xml": maven_pom()}, setup="export JAVA_HOME=/usr/lib/jvm/java-11-openjdk-amd64\n", version=MV, family="java-home")


def _daemon() -> Iterator[Recipe]:
    c, words = "gradle-daemon-lost", r"[Gg]radle build daemon (disappeared unexpectedly|has been stopped)|DaemonDisappearedException"
    stop = "; kill -9 $(pgrep -f '[G]radleDaemon')"  # only this build's processes are in its namespace
    build = GRADLE + "task slow { doLast { println 'packaging the application'; Thread.sleep(%d) } }\nassemble.dependsOn slow\n"
    watcher = "( for i in $(seq 400); do grep -q packaging gradle.txt 2>/dev/null && break; sleep 0.1; done; sleep 1" + stop + " ) &\nwatcher=$!\n"
    yield from case(
        "daemon-kill",
        c,
        "gradle",
        ("gradle --version", f"{watcher}gradle --daemon --console=plain assemble 2>&1 | tee gradle.txt; exit ${{PIPESTATUS[0]}}"),
        words,
        ("gitlab", "github"),
        files={**SOURCES, "build.gradle": build % 60000},
        version=GV,
        needs=("gradle",),
        family="gradle-daemon-killed",
    )
    suicide = GRADLE + "compileJava.doLast { def pid = java.lang.management.ManagementFactory.runtimeMXBean.name.split('@')[0]; ['kill', '-9', pid].execute().waitFor(); Thread.sleep(5000) }\n"
    yield from case("daemon-oom", c, "gradle", ("gradle --daemon build",), words, ("jenkins", "travis"), files={**SOURCES, "build.gradle": suicide}, version=GV, needs=("gradle",), family="gradle-daemon-in-task")
    halt = GRADLE + "test { doFirst { Runtime.runtime.halt(134) } }\n"
    tests = java((), style="junit4")
    yield from case(
        "daemon-halt",
        c,
        "gradle",
        ("gradle --version", "gradle --daemon --info test 2>&1 | grep -v '^$'; exit ${PIPESTATUS[0]}"),
        words,
        ("azure", "make"),
        files={**tests, "build.gradle": halt + "repositories { flatDir { dirs '/usr/share/java' } }\ndependencies { testCompile ':junit4:', ':hamcrest:' }\n"},
        version=GV,
        needs=("gradle",),
        family="gradle-daemon-halt",
    )
    crash = GRADLE + "task docs { doLast { println 'writing the documentation'; def f = sun.misc.Unsafe.getDeclaredField('theUnsafe'); f.accessible = true; f.get(null).putAddress(0L, 0L) } }\njar.dependsOn docs\n"
    yield from case("daemon-crash", c, "gradle", ("gradle --daemon --stacktrace jar",), words, ("xtrace", "gitlab"), files={**SOURCES, "build.gradle": crash}, version=GV, needs=("gradle",), family="gradle-daemon-crash")


_PLUGIN = "<plugin><groupId>org.acme.tools</groupId><artifactId>acme-site-plugin</artifactId><version>3.0</version>"
_PLUGIN_POM = "<project><modelVersion>4.0.0</modelVersion><groupId>org.acme.tools</groupId><artifactId>acme-site-plugin</artifactId><version>3.0</version>%s<packaging>maven-plugin</packaging><dependencies><dependency><groupId>org.codehaus.plexus</groupId><artifactId>plexus-utils</artifactId><version>3.4.2</version></dependency></dependencies></project>\n"
_PLUGIN_XML = "<plugin><name>acme-site-plugin</name><groupId>org.acme.tools</groupId><artifactId>acme-site-plugin</artifactId><version>3.0</version><goalPrefix>acme-site</goalPrefix><mojos><mojo><goal>jar</goal><implementation>org.acme.tools.JarMojo</implementation><language>java</language><instantiationStrategy>per-lookup</instantiationStrategy><executionStrategy>once-per-session</executionStrategy><requiresProject>true</requiresProject><parameters/></mojo></mojos></plugin>\n"
_MOJO = 'package org.acme.tools;\n\npublic class JarMojo extends org.apache.maven.plugin.AbstractMojo {\n    public void execute() { getLog().info("Collecting the site\'s files."); %s; }\n%s}\n'
# A plugin compiled against classes that are then left out of its jar, in a copy of Debian's repository (links only).
_MAKE_PLUGIN = """set -e
mkdir -p m2/org/acme/tools/acme-site-plugin/3.0 tools/out tools/gone && cp -rs /usr/share/maven-repo/. m2/
javac -d tools/gone $(find tools/gone-src -name '*.java')
javac -d tools/out -cp tools/gone:$(ls /usr/share/maven/lib/maven-plugin-api*.jar) tools/src/org/acme/tools/JarMojo.java
jar cf m2/org/acme/tools/acme-site-plugin/3.0/acme-site-plugin-3.0.jar -C tools/out org -C tools META-INF
cp tools/plugin-pom.xml m2/org/acme/tools/acme-site-plugin/3.0/acme-site-plugin-3.0.pom
rm -rf tools && set +e
"""


def _plugins() -> Iterator[Recipe]:
    c, words = "build-plugin-mismatch", r"A required class was missing while executing|An API incompatibility was encountered while executing|requires Maven version"
    bound = _PLUGIN + "<executions><execution><phase>validate</phase><goals><goal>jar</goal></goals></execution></executions></plugin>"
    mvn = "mvn -B -o -Dmaven.repo.local=m2"
    needs = ("mvn:maven", "javac:default-jdk-headless")
    aether = "package org.sonatype.aether.graph;\n\npublic interface DependencyFilter { boolean accept(Object node); }\n"
    settings = "package org.apache.maven.settings;\n\npublic class %s { %s }\n"
    plugin = {**java(()), "pom.xml": maven_pom(plugins=bound), "tools/META-INF/maven/plugin.xml": _PLUGIN_XML, "tools/plugin-pom.xml": _PLUGIN_POM % ""}
    missing = {
        **plugin,
        "tools/gone-src/org/sonatype/aether/graph/DependencyFilter.java": aether,
        "tools/src/org/acme/tools/JarMojo.java": _MOJO % ("new All().accept(this)", "    static class All implements org.sonatype.aether.graph.DependencyFilter { public boolean accept(Object node) { return true; } }\n"),
    }
    yield from case("plugin-class", c, "maven", ("mvn --version", f"{mvn} verify"), words, ("github", "gitlab", "travis"), files=missing, setup=_MAKE_PLUGIN, version=MV, needs=needs)
    method = {
        **plugin,
        "tools/gone-src/org/apache/maven/settings/Settings.java": settings % ("Settings", "public RuntimeInfo getRuntimeInfo() { return null; }"),
        "tools/gone-src/org/apache/maven/settings/RuntimeInfo.java": settings % ("RuntimeInfo", ""),
        "tools/src/org/acme/tools/JarMojo.java": _MOJO % ("new org.apache.maven.settings.Settings().getRuntimeInfo()", ""),
    }
    yield from case("plugin-method", c, "maven", (f"{mvn} package",), words, ("jenkins", "azure"), files=method, setup=_MAKE_PLUGIN, version=MV, needs=needs, family="maven-plugin-method")
    newer = {**method, "tools/plugin-pom.xml": _PLUGIN_POM % "<prerequisites><maven>3.9.6</maven></prerequisites>"}
    yield from case("plugin-needs-maven", c, "maven", ("mvn --version", f"{mvn} verify"), words, ("gitlab", "make"), files=newer, setup=_MAKE_PLUGIN, version=MV, needs=needs, family="maven-plugin-needs-maven")


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    yield from prefixed("jvm", _dependencies, _compile, _daemon, _plugins)
