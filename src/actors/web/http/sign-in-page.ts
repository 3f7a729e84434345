/** The page that asks for the token: plain HTML, so that it works without the files of the page. Pure. */

export function signInPage(wasWrong: boolean): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Vigil: sign in</title>
<link rel="stylesheet" href="/sign-in.css">
</head>
<body>
<main class="sign-in">
<form method="post" action="/sign-in">
<h1>Sign in to Vigil</h1>
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<p>It is "http.token" of the daemon's configuration.</p>
${wasWrong ? '<p class="fault" role="alert">That is not the token.</p>\n' : ''}<button class="button primary" type="submit">Sign in</button>
</form>
</main>
</body>
</html>
`;
}
