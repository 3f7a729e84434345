/** The page that asks for the token: plain HTML, so that it works without the files of the page. Pure. */

export function signInPage(wasWrong: boolean): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Vigil: sign in</title>
</head>
<body>
<main>
<h1>Vigil</h1>
${wasWrong ? '<p role="alert">That is not the token.</p>\n' : ''}<form method="post" action="/sign-in">
<p><label for="token">Token</label></p>
<p><input id="token" name="token" type="password" autocomplete="current-password" required autofocus></p>
<p><button type="submit">Sign in</button></p>
</form>
<p>The token is "http.token" of the daemon's configuration.</p>
</main>
</body>
</html>
`;
}
