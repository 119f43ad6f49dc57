// A step for Jenkins pipelines: post { failure { logkb() } }
//
// Put the folder templates/jenkins of this repository into a *trusted* global pipeline library (Manage Jenkins, System, Global
// Trusted Pipeline Libraries): only there a script may read its own build's log without an approval for each method.
//
// Options, all with a default:
//   command: how to call logkb on the agent ('logkb')
//   lines: how many lines of the end of the log are read (50000)
//   articleUrl: where the articles can be read, with {cause} for the cause's id ('')

def call() {
    call([:])
}

def call(Map options) {
    def settings = [command: 'logkb', lines: 50000, articleUrl: '']
    settings.putAll(options)
    // The build's own log is text from others: it goes into a file, and never into a script.
    writeFile(file: 'logkb-report/console.log', text: currentBuild.rawBuild.getLog(settings.lines).join('\n'), encoding: 'UTF-8')
    withEnv(["LOGKB=${settings.command}", "LOGKB_ARTICLE_URL=${settings.articleUrl}"]) {
        def status = sh(label: 'logkb', returnStatus: true, script: '''
            set -eu
            cd logkb-report
            "$LOGKB" analyze --format text console.log
            "$LOGKB" analyze --format markdown "--article-url=$LOGKB_ARTICLE_URL" console.log > report.md
            "$LOGKB" analyze --format junit console.log > junit.xml
            "$LOGKB" analyze --format json console.log > report.json
            rm console.log
        ''')
        if (status == 0) {
            archiveArtifacts(artifacts: 'logkb-report/*', allowEmptyArchive: true)
        }
        if (status != 0) {
            echo('logkb could not analyse this log; see above why')
        }
    }
}
