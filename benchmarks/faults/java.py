"""Faults in Java, built by Maven from a local repository that is filled once."""

from __future__ import annotations

import os
from pathlib import Path

from installed import FOLDER, call, digest, once

from faults import ENVIRONMENT, Ecosystem, Fault, slow

POM = """<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId>
  <artifactId>cart</artifactId>
  <version>1.0.0</version>
  <properties>
    <maven.compiler.release>17</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency>
      <groupId>org.junit.jupiter</groupId>
      <artifactId>junit-jupiter</artifactId>
      <version>5.11.4</version>
      <scope>test</scope>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId>
        <artifactId>maven-compiler-plugin</artifactId>
        <version>3.13.0</version>
      </plugin>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId>
        <artifactId>maven-surefire-plugin</artifactId>
        <version>3.5.2</version>
      </plugin>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId>
        <artifactId>maven-checkstyle-plugin</artifactId>
        <version>3.6.0</version>
        <configuration>
          <configLocation>checkstyle.xml</configLocation>
          <includeTestSourceDirectory>true</includeTestSourceDirectory>
          <violationSeverity>warning</violationSeverity>
          <consoleOutput>true</consoleOutput>
        </configuration>
      </plugin>
    </plugins>
  </build>
</project>
"""

CHECKSTYLE = """<?xml version="1.0"?>
<!DOCTYPE module PUBLIC "-//Checkstyle//DTD Checkstyle Configuration 1.3//EN"
    "https://checkstyle.org/dtds/configuration_1_3.dtd">
<module name="Checker">
  <property name="severity" value="error"/>
  <module name="FileTabCharacter"><property name="eachLine" value="true"/></module>
  <module name="TreeWalker">
    <module name="UnusedImports"/>
    <module name="NeedBraces"/>
  </module>
</module>
"""

CART = """package com.example;

import java.util.List;

/** A cart. */
public final class Cart {
    private final List<Item> items;

    /** A line of a cart. */
    public record Item(String name, int price, int count) {}

    public Cart(List<Item> items) {
        this.items = items;
    }

    public int total() {
        int total = 0;
        for (Item item : items) {
            total += item.price() * item.count();
        }
        return total;
    }

    public String first() {
        return items.get(0).name();
    }
}
"""

CART_TEST = """package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class CartTest {
    private final Cart cart = new Cart(List.of(new Cart.Item("apple", 3, 2)));

    @Test
    void pricesAreAdded() {
        assertEquals(6, cart.total());
    }

    @Test
    void theFirstItemIsNamed() {
        assertEquals("apple", cart.first());
    }
}
"""

SOURCE, TEST = "src/main/java/com/example/Cart.java", "src/test/java/com/example/CartTest.java"
FILES = {
    ".gitignore": "target/\n",
    "pom.xml": POM,
    "checkstyle.xml": CHECKSTYLE,
    SOURCE: CART,
    TEST: CART_TEST,
}

ABSENT = """    <dependency>
      <groupId>com.example</groupId>
      <artifactId>absent-library</artifactId>
      <version>1.0.0</version>
    </dependency>
  </dependencies>
"""

FAULTS = (
    Fault("syntax", SOURCE, "int total = 0;", "int total = 0", "compile"),
    Fault("syntax", TEST, "assertEquals(6, cart.total());", "assertEquals(6, cart.total();", "compile"),
    Fault("syntax", "pom.xml", "</properties>", "</property>", "setup compile"),
    Fault("type", SOURCE, "int total = 0;", 'int total = "";', "compile"),
    Fault("type", SOURCE, "items.get(0).name()", "items.get(0).title()", "compile"),
    Fault("type", TEST, "cart.first());", "cart.second());", "compile", at="cart.second()"),
    Fault(
        "lint",
        SOURCE,
        "import java.util.List;",
        "import java.util.List;\nimport java.util.Map;",
        "lint",
        at="java.util.Map",
    ),
    Fault(
        "lint",
        SOURCE,
        "        for (Item item : items) {\n            total += item.price() * item.count();\n        }",
        "        for (Item item : items)\n            total += item.price() * item.count();",
        "lint",
    ),
    Fault("format", TEST, "        assertEquals(6", "\tassertEquals(6", "lint format"),
    Fault(
        "unit",
        SOURCE,
        "item.price() * item.count()",
        "item.price() + item.count()",
        "test",
        path=TEST,
        at="assertEquals(6",
    ),
    Fault(
        "unit",
        SOURCE,
        "items.get(0).name()",
        'items.get(0).name() + "s"',
        "test",
        path=TEST,
        at='assertEquals("apple"',
    ),
    Fault("exception", SOURCE, "items.get(0).name()", "items.get(1).name()", "test"),
    Fault(
        "exception",
        SOURCE,
        "        this.items = items;",
        '        this.items = items;\n        throw new IllegalStateException("broken");',
        "test",
        at="throw new",
    ),
    Fault(
        "time-out",
        TEST,
        "    void pricesAreAdded() {",
        "    void pricesAreAdded() throws InterruptedException {\n        Thread.sleep(900_000);",
        "test",
        at=None,
        path="pom.xml",
        says="did not end",
        more=slow(60),
    ),
    Fault(
        "missing dependency",
        SOURCE,
        "import java.util.List;",
        "import com.absent.Library;\nimport java.util.List;",
        "compile",
    ),
    Fault(
        "missing dependency",
        "pom.xml",
        "  </dependencies>\n",
        ABSENT,
        "compile",
        at=None,
        says="absent-library",
        failure_class=ENVIRONMENT,
    ),
)


def fill(folder: Path) -> dict[str, str]:
    """Build and check the project once with a local repository of its own, in which Maven then finds all, offline."""
    repository = FOLDER / f"maven-{digest(POM)}"

    def install(into: Path) -> None:
        call("mvn", "-q", "-B", f"-Dmaven.repo.local={into}", "test", "checkstyle:check", folder=folder)

    once(repository, install)
    return {"MAVEN_OPTS": f"{os.environ.get('MAVEN_OPTS', '')} -Dmaven.repo.local={repository}".strip()}


ECOSYSTEM = Ecosystem("Java", FILES, FAULTS, fill)
