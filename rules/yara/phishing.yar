// Pages that ask for credentials for somebody else, and the kits that they come from.

private rule phishing_password_field
{
    strings:
        $password = /<input\b[^>]{0,300}type\s{0,4}=\s{0,4}['"]?password/ nocase
    condition:
        $password
}

private rule phishing_brand_word
{
    strings:
        $a = "Office 365" nocase
        $b = "Microsoft 365" nocase
        $c = "Microsoft account" nocase
        $d = "Outlook Web App" nocase
        $e = "SharePoint" nocase
        $f = "OneDrive" nocase
        $g = "DocuSign" nocase
        $h = "Adobe Document Cloud" nocase
        $i = "WeTransfer" nocase
        $j = "PayPal" nocase fullword
        $k = "Webmail Login" nocase
        $l = "cPanel" fullword
        $m = "Roundcube" nocase
        $n = "Gmail" fullword
        $o = "session has expired" nocase
        $p = "verify your account" nocase
        $q = "mailbox is full" nocase
    condition:
        any of them
}

rule phishing_form_elsewhere : phishing
{
    meta:
        id = "eb66dd6f-2c7d-5d76-bfca-bbc9d55edc26"
        title = "A page with a brand's words posts a password to another host"
        level = "high"
        description = "A form of a page that came as a file posts a password to an absolute address and speaks of a known service"
        attack = "T1566.001, T1056.003"
        falsepositives = "Saved copies of real sign-in pages"
        facts = "attack_attempted=1"
    strings:
        $form = /<form\b[^>]{0,300}action\s{0,4}=\s{0,4}['"]?https?:\/\/[^'"\s>]{4}/ nocase
    condition:
        filesize < 8MB and phishing_password_field and phishing_brand_word and $form
}

rule phishing_telegram_bot : phishing
{
    meta:
        id = "1cdfc67d-6344-51dc-88d0-1c5732ae51d0"
        title = "A page sends what was typed to a Telegram bot"
        level = "critical"
        description = "A page or program asks for a password and speaks to the bot interface of Telegram"
        attack = "T1567, T1056.003"
        falsepositives = "None known where a password is asked for"
        facts = "attack_attempted=1"
    strings:
        $bot = /api\.telegram\.org\/bot/ nocase
        $send_a = "/sendMessage" nocase
        $send_b = "/sendDocument" nocase
        $send_c = "chat_id" nocase
        $typed_a = "$_POST" nocase
        $typed_b = "getElementById" nocase
        $typed_c = "FormData" nocase
        $password = "password" nocase
    condition:
        filesize < 8MB and $bot and any of ($send_*) and
        (phishing_password_field or ($password and any of ($typed_*)))
}

rule phishing_form_service : phishing
{
    meta:
        id = "17bd1d81-48e9-58e6-a0cc-f8e90d8582e7"
        title = "A page posts a password to a service that collects forms or messages"
        level = "high"
        description = "A password field stands beside the address of a form collector or a chat's webhook"
        attack = "T1567, T1056.003"
        falsepositives = "None known; no sign-in works that way"
        facts = "attack_attempted=1"
    strings:
        $a = "discord.com/api/webhooks/" nocase
        $b = "discordapp.com/api/webhooks/" nocase
        $c = "formspree.io/" nocase
        $d = "submit-form.com/" nocase
        $e = "formsubmit.co/" nocase
        $f = "getform.io/" nocase
        $g = "hooks.slack.com/services/" nocase
        $h = "api.emailjs.com/" nocase
        $i = "script.google.com/macros/s/" nocase
    condition:
        filesize < 8MB and phishing_password_field and any of them
}

rule phishing_known_victim : phishing
{
    meta:
        id = "4d9cac5d-da71-5a02-b669-75199ad15f69"
        title = "A page asks for the password of an address that it was given"
        level = "high"
        description = "A script fills in an address from the link or from encoded text, and a password is asked for"
        attack = "T1566.002, T1598.003"
        falsepositives = "Sign-in pages that remember an address; they do not decode it"
        facts = "attack_attempted=1"
    strings:
        $hash = /location\.hash(\.|\[|\)|;|\s)/ nocase
        $search = "location.search" nocase
        $decode_a = "atob(" nocase
        $decode_b = "decodeURIComponent(" nocase
        $mail = /(split|indexOf|includes)\s{0,4}\(\s{0,4}["'`]@/ nocase
        $image_a = "logo.clearbit.com/" nocase
        $image_b = "google.com/s2/favicons" nocase
    condition:
        filesize < 8MB and phishing_password_field and
        ($hash or $search) and any of ($decode_*) and ($mail or any of ($image_*))
}

rule phishing_kit_script : phishing php
{
    meta:
        id = "14e22c06-1265-5f54-b98e-c920cc0099a6"
        title = "A script collects passwords and sends them by mail"
        level = "critical"
        description = "PHP that takes a password and the visitor's address, mails both and leads on to a real site"
        attack = "T1566.002, T1056.003, T1048"
        falsepositives = "Contact forms; they take no password"
        facts = "attack_attempted=1, mail_abuse=1"
    strings:
        $php = "<?php" nocase
        $taken = /\$_(POST|REQUEST)\s{0,4}\[\s{0,4}['"](pass|passwd|password|pwd|passw|psw)[a-z0-9_]{0,8}['"]/ nocase
        $visitor_a = "REMOTE_ADDR"
        $visitor_b = "HTTP_USER_AGENT"
        $mail = /\bmail\s{0,4}\(\s{0,4}\$/
        $away = /header\s{0,4}\(\s{0,4}["']location:/ nocase
    condition:
        filesize < 2MB and $php and $taken and any of ($visitor_*) and $mail and $away
}

rule phishing_kit_archive : phishing archive
{
    meta:
        id = "c1589f4b-543f-5f8f-8dd4-b4dff6a0068d"
        title = "An archive holds a phishing kit"
        level = "high"
        description = "A ZIP has members that keep scanners away and members that take what a visitor types"
        attack = "T1583, T1566.002"
        falsepositives = "Archives of bot filters; they hold no sign-in page"
        facts = "attack_attempted=1"
    strings:
        $keep_a = /PK\x01\x02.{42}[^\x00]{0,120}anti(bot|bots|bots?_?[0-9]{1,2})(\.php|\/)/s nocase
        $keep_b = /PK\x01\x02.{42}[^\x00]{0,120}(blocker|blockers|killbot|botblock|crawlerdetect|bots)(\.php|\/)/s nocase
        $keep_c = /PK\x01\x02.{42}[^\x00]{0,120}(blacklist|deny_ip|denyip|visitor_log|visits?)\.(php|txt|dat)/s nocase
        $take_a = /PK\x01\x02.{42}[^\x00]{0,120}(login|signin|verify|password|passwd|otp|sms|card|billing|fullz)[0-9]{0,2}\.(php|html)/s nocase
        $take_b = /PK\x01\x02.{42}[^\x00]{0,120}(post|next|send|process|result|results|telegram|tg)[0-9]{0,2}\.php/s nocase
    condition:
        uint32be(0) == 0x504B0304 and any of ($keep_*) and all of ($take_*)
}
