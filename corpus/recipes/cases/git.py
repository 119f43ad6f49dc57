"""git: authentication, references, submodules, LFS, merges, patches and pushes."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Recipe, spread

ID = "git config --global user.name ci; git config --global user.email ci@example.org; git config --global init.defaultBranch main; git config --global protocol.file.allow always; git config --global advice.detachedHead false\n"
UPSTREAM = (
    ID
    + 'git init -q $RUN/tmp/up.git --bare; git clone -q $RUN/tmp/up.git seed 2>/dev/null; cd seed; for i in 1 2 3 4 5; do mkdir -p src; seq $((i * 40)) > src/f$i.txt; git add .; git commit -qm "Add part $i"; done; git tag v1.4.2; git push -q origin main v1.4.2; cd ..\n'
)
CLONE = "git clone file:///tmp/up.git checkout"
FOUR = ("gitlab", "github", "jenkins", "xtrace")


def _case(name: str, cause: str, steps: tuple[str, ...], signature: str, wrappers: tuple[str, ...], setup: str = UPSTREAM, **more: object) -> Iterator[Recipe]:
    options: dict[str, object] = {"exit": (1, 128, 129), "tool": "git", "version": "!git --version", "family": f"git-{cause}-{name}", **more}
    yield from spread(Recipe(name=f"git-{name}", cause=cause, steps=steps, signature=signature, setup=setup, **options), wrappers)  # type: ignore[arg-type]


def _refs() -> Iterator[Recipe]:
    yield from _case("branch", "git-ref-missing", ("git --version", "git clone --branch release/2.0 --depth 1 file:///tmp/up.git checkout"), "Remote branch .* not found", FOUR)
    yield from _case("checkout", "git-ref-missing", (CLONE, "cd checkout && git checkout v2.0.0"), "pathspec .* did not match", ("gitlab", "travis", "azure"))
    yield from _case("fetch", "git-ref-missing", ("git init -q work", "cd work && git remote add origin file:///tmp/up.git && git fetch --depth 1 origin refs/heads/feature/login"), "couldn't find remote ref", ("github", "make"))
    yield from _case("tree", "git-ref-missing", (CLONE, "cd checkout && git reset --hard 0123456789abcdef0123456789abcdef01234567"), "Could not parse object|bad object|reference is not a tree", ("gitlab",))
    yield from _case("worktree", "git-ref-missing", (CLONE, "cd checkout && git log --oneline && git diff origin/develop...HEAD"), "ambiguous argument|unknown revision", ("jenkins", "github"))
    owner = UPSTREAM + "cp -r seed repo; chown -R 12345:12345 repo\n"
    yield from _case("dubious", "git-dubious-ownership", ("ls -ld repo", "git -C repo status"), "detected dubious ownership", (*FOUR, "travis"), setup=owner)
    yield from _case(
        "dubious-make",
        "git-dubious-ownership",
        ("make -C repo",),
        "detected dubious ownership",
        ("gitlab", "make"),
        setup=owner + "printf 'VERSION := $(shell git describe --tags)\\nall:\\n\\tgcc --version | head -1\\n\\tgit describe --tags\\n\\techo ok\\n' > repo/Makefile\n",
        exit=2,
    )


def _submodules() -> Iterator[Recipe]:
    sub = UPSTREAM + "cd seed; git submodule --quiet add file://$RUN/tmp/up.git third/lib; sed -i 's|url = .*|url = URL|' .gitmodules; git add .; git commit -qm 'Add lib'; git push -q origin main; cd ..\n"
    gone = sub.replace("URL", "file:///tmp/lib-gone.git")
    yield from _case("submodule-gone", "git-submodule-failed", (CLONE, "cd checkout && git submodule update --init --recursive"), "Failed to clone|clone of .* into submodule path", FOUR, setup=gone)
    yield from _case("submodule-recursive", "git-submodule-failed", ("git clone --recurse-submodules file:///tmp/up.git checkout",), "Failed to clone|clone of .* into submodule path", ("travis", "azure"), setup=gone)
    mapping = UPSTREAM + "cd seed; git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),third/lib; git commit -qm 'Add lib without a mapping'; git push -q origin main; cd ..\n"
    yield from _case("submodule-mapping", "git-submodule-failed", (CLONE, "cd checkout && git submodule update --init"), "no submodule mapping found|No url found for submodule path", ("gitlab", "github"), setup=mapping)
    commit = (
        UPSTREAM
        + "git init -q --bare $RUN/tmp/lib.git; git clone -q $RUN/tmp/lib.git lib 2>/dev/null; cd lib; echo 1 > a; git add a; git commit -qm one; git push -q origin main; cd ../seed; git submodule --quiet add file://$RUN/tmp/lib.git third/lib; cd third/lib; echo 2 > a; git commit -qam two; cd ../..; sed -i 's|url = .*|url = file:///tmp/lib.git|' .gitmodules; git add .; git commit -qm 'Use two'; git push -q origin main; cd ..\n"
    )
    yield from _case("submodule-commit", "git-submodule-failed", (CLONE, "cd checkout && git submodule update --init"), "did not contain|not our ref|Fetched in submodule path|unadvertised", ("jenkins", "gitlab"), setup=commit)
    lfs = (
        UPSTREAM
        + "git config --global filter.lfs.smudge 'git-lfs smudge -- %f'; git config --global filter.lfs.process 'git-lfs filter-process'; git config --global filter.lfs.required true; git config --global filter.lfs.clean 'git-lfs clean -- %f'; cd seed; git lfs install --local >/dev/null; git lfs track '*.bin'; head -c 90000 /dev/urandom > model.bin; git add .; git commit -qm 'Add the model'; git push -q --no-verify origin main; cd ..\n"
    )
    words = r"smudge filter lfs failed|Object does not exist|error: failed to fetch some objects|git-lfs: (command )?not found|external filter"
    yield from _case("lfs-missing", "git-lfs-failed", ("git lfs version", CLONE), words, FOUR, setup=lfs, needs=("git-lfs",))
    yield from _case(
        "lfs-pull",
        "git-lfs-failed",
        ("GIT_LFS_SKIP_SMUDGE=1 " + CLONE, "cd checkout && git lfs pull"),
        words + "|Unable to find source|not exist|[Ff]ailed to fetch some objects|remote missing",
        ("travis", "gitlab"),
        setup=lfs,
        exit=(1, 2, 128),
        needs=("git-lfs",),
    )
    absent = (
        lfs.replace("git config --global filter.lfs.smudge 'git-lfs smudge", "git config --global filter.lfs.smudge 'git-lfsx smudge")
        + "git config --global filter.lfs.smudge 'git-lfs smudge -- %f'; git config --global --unset filter.lfs.process; mkdir $RUN/nobin; for p in git sh bash ls cat date head wc printf env; do ln -s $(command -v $p) $RUN/nobin/$p; done; export PATH=$RUN/nobin\n"
    )
    yield from _case("lfs-absent", "git-lfs-failed", (CLONE,), words, ("github", "azure"), setup=absent, needs=("git-lfs",))


def _changes() -> Iterator[Recipe]:
    diverge = (
        UPSTREAM
        + "cd seed; git checkout -qb feature; sed -i 's/^7$/seven/' src/f1.txt; git commit -qam 'Spell seven'; git push -q origin feature; git checkout -q main; sed -i 's/^7$/7.0/' src/f1.txt; git rm -q src/f2.txt; git commit -qam 'Use decimals'; git push -q origin main; cd ..\n"
    )
    yield from _case("merge", "merge-conflict", (CLONE, "cd checkout && git merge --no-edit origin/feature"), "CONFLICT|Automatic merge failed", FOUR, setup=diverge)
    yield from _case("rebase", "merge-conflict", (CLONE, "cd checkout && git checkout -q feature && git rebase origin/main"), "CONFLICT", ("gitlab", "travis"), setup=diverge)
    yield from _case("cherry-pick", "merge-conflict", (CLONE, "cd checkout && git cherry-pick origin/feature"), "CONFLICT|could not apply", ("azure", "make"), setup=diverge)
    yield from _case(
        "stash",
        "merge-conflict",
        (CLONE, "cd checkout && git checkout -q feature && echo x >> src/f1.txt && sed -i 's/^seven$/VII/' src/f1.txt && git stash && git reset -q --hard origin/main && git stash pop"),
        "CONFLICT",
        ("github",),
        setup=diverge,
    )
    patch = UPSTREAM + "cd seed; sed -i 's/^10$/ten/' src/f1.txt; git diff > ../fix.patch; git checkout -q .; sed -i 's/^9$/nine/; s/^10$/X/; s/^11$/eleven/; s/^12$/XII/' src/f1.txt; cd ..; mv seed work\n"
    hunk = r"Hunk #\d+ FAILED|patch does not apply|can't find file to patch|patch failed"
    yield from _case("patch", "patch-failed", ("ls", "cd work && patch -p1 < ../fix.patch"), hunk, ("gitlab", "github", "xtrace"), setup=patch, tool="patch", version="!patch --version")
    yield from _case("apply", "patch-failed", ("cd work && git apply --verbose ../fix.patch",), hunk, ("jenkins", "travis"), setup=patch)
    yield from _case(
        "am",
        "patch-failed",
        ("cd work && git am ../0001-Spell-ten.patch",),
        hunk,
        ("gitlab",),
        setup=patch.replace("git diff > ../fix.patch; git checkout -q .", "git commit -qam 'Spell ten'; git format-patch -q -1 -o ..; git reset -q --hard HEAD~1").replace("XII/' src/f1.txt", "XII/' src/f1.txt; git commit -qam Roman"),
    )
    yield from _case("patch-level", "patch-failed", ("cd work && patch -p0 --batch < ../fix.patch",), hunk, ("azure", "make"), setup=patch, tool="patch", version="!patch --version")
    ahead = (
        UPSTREAM
        + "git clone -q $RUN/tmp/up.git other; cd other; echo x > x; git add x; git commit -qm 'Bump version'; git push -q; cd ../seed; git remote set-url origin file:///tmp/up.git; echo y > y; git add y; git commit -qm 'Release notes'; cd ..\n"
    )
    reject = r"\[rejected\]|failed to push|Please tell me who you are|nothing to commit|\[remote rejected\]|pre-receive"
    yield from _case("push", "git-push-rejected", ("cd seed && git push origin main",), reject, FOUR, setup=ahead)
    yield from _case("push-tag", "git-push-rejected", ("cd seed && git tag -f v1.4.2 && git push origin v1.4.2",), reject, ("travis",), setup=ahead)
    hook = ahead.replace("cd other;", "printf '#!/bin/sh\\necho \"GitLab: You are not allowed to push code to protected branches on this project.\"\\nexit 1\\n' > $RUN/tmp/up.git/hooks/pre-receive; cd other;").replace(
        "git push -q; cd", "cd"
    )
    yield from _case("push-hook", "git-push-rejected", ("cd seed && chmod +x /tmp/up.git/hooks/pre-receive && git push origin main",), reject, ("gitlab", "azure"), setup=hook)
    yield from _case(
        "identity",
        "git-push-rejected",
        ("git init -q site", "cd site && echo built > index.html && git add . && git commit -m 'Deploy'"),
        reject + "|empty ident",
        ("github", "jenkins"),
        setup="hostname -F /dev/null 2>/dev/null; export EMAIL=\n",
        env={"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.useConfigOnly", "GIT_CONFIG_VALUE_0": "true"},
    )
    yield from _case("nothing", "git-push-rejected", (CLONE, "cd checkout && cp -r src docs && rm -r docs && git add -A && git commit -m 'Update the site'"), reject, ("gitlab", "make"))


AUTH = "export PORT=$((20000 + RANDOM % 9000)); python3 $TOOLS/badserver.py $PORT {mode} > /dev/null 2>&1 &\nfor i in $(seq 60); do (echo > /dev/tcp/127.0.0.1/$PORT) 2>/dev/null && break; sleep 0.1; done; export PORT\n"


def _auth() -> Iterator[Recipe]:
    words = r"could not read Username|Authentication failed|Repository not found|repository .* not found|Permission denied \(publickey|Host key verification failed|HTTP Basic: Access denied|returned error: 403"
    yield from _case("username", "git-auth", ("git clone http://localhost:$PORT/acme/private.git",), words, FOUR, setup=AUTH.format(mode="401"), env={"GIT_TERMINAL_PROMPT": "0"})
    yield from _case("token", "git-auth", ("git clone http://oauth2:expired-token@localhost:$PORT/acme/private.git",), words, ("gitlab", "travis"), setup=AUTH.format(mode="401"), env={"GIT_TERMINAL_PROMPT": "0"})
    yield from _case("forbidden", "git-auth", ("git ls-remote http://localhost:$PORT/acme/private.git",), words, ("azure",), setup=AUTH.format(mode="403"), env={"GIT_TERMINAL_PROMPT": "0"})
    yield from _case("notfound", "git-auth", ("git clone http://localhost:$PORT/acme/private.git",), words, ("jenkins", "github"), setup=AUTH.format(mode="404"), env={"GIT_TERMINAL_PROMPT": "0"})
    ssh = "mkdir -p /run/sshd $HOME/.ssh; ssh-keygen -q -t ed25519 -N '' -f $RUN/hostkey; PORT=$((20000 + RANDOM % 9000)); export PORT; $(command -v sshd) -D -e -p $PORT -o ListenAddress=127.0.0.1 -o HostKey=$RUN/hostkey -o PasswordAuthentication=no -o PidFile=none -o UsePAM=no > $RUN/sshd.log 2>&1 &\nsleep 0.7\n"
    known = 'ssh-keyscan -p $PORT localhost > $HOME/.ssh/known_hosts 2>/dev/null; export GIT_SSH_COMMAND="ssh -o UserKnownHostsFile=$HOME/.ssh/known_hosts -o IdentitiesOnly=yes"\n'
    yield from _case("publickey", "git-auth", ("git clone ssh://git@localhost:$PORT/acme/private.git",), words, ("gitlab", "github", "make"), setup=ssh + known, needs=("/usr/sbin/sshd:openssh-server",))
    yield from _case(
        "hostkey",
        "git-auth",
        ("git clone ssh://git@localhost:$PORT/acme/private.git",),
        words,
        ("jenkins", "travis"),
        setup=ssh + "export GIT_SSH_COMMAND='ssh -o UserKnownHostsFile=/dev/null -o BatchMode=yes'\n",
        needs=("/usr/sbin/sshd:openssh-server",),
    )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_refs, _submodules, _changes, _auth):
        yield from group()
