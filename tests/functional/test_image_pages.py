"""Pages of images."""

from tests.cloud import Cloud


def test_community_images_of_others_come_in_pages(cloud: Cloud) -> None:
    made = []
    for number in range(3):
        body = {
            "name": f"shared-{number}", "disk_format": "raw", "container_format": "bare",
            "visibility": "community",
        }  # fmt: skip
        answer = cloud.ask("POST", "/v2/images", body, user="other", api="image")
        assert answer.status_code == 201, answer.text
        made.append(answer.json()["id"])

    seen, path = [], "/v2/images?visibility=community&limit=1"
    while path:
        answer = cloud.ask("GET", path, api="image")
        assert answer.status_code == 200, answer.text
        seen += [image["id"] for image in answer.json()["images"]]
        path = answer.json().get("next", "")

    assert sorted(seen) == sorted(made)
    for image_id in made:
        assert cloud.ask("DELETE", f"/v2/images/{image_id}", user="other", api="image").status_code == 204
